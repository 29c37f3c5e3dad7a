//! `continuity`: the plan, how the office stands, what is printed of it.

pub mod kit;
pub mod plan;
pub mod runbook;

texts! {
    NO_REPORT: "the configuration has no report `{name}`; it has:\n{reports}"
        => "cấu hình không có báo cáo `{name}`; hiện có:\n{reports}";
    NAME_REPORT: "name one of them, or add a `[[report]]` to the configuration file"
        => "nêu một trong số đó, hoặc thêm `[[report]]` vào tệp cấu hình";
    REPORT_FILE: "report `{path}`: {detail}" => "báo cáo `{path}`: {detail}";
    SEE_REPORT_FOLDER: "see that this user may write there, or give the `[[report]]` another folder"
        => "xem người dùng này có được ghi vào đó không, hoặc đổi `folder` của `[[report]]`";
    REPORT_NOT_SENT: "the report is made, and these channels have not taken it: {channels}"
        => "đã lập báo cáo, nhưng các kênh này chưa nhận: {channels}";
    TEST_CHANNELS: "see `lifeboat notify test`; it is sent again by itself"
        => "xem `lifeboat notify test`; chương trình sẽ tự gửi lại";
    SEALS_KEPT: "{present} holders with whole seals, {needed} shares open. Code of the ledger, to \
        be written down elsewhere: {code}"
        => "{present} người giữ có phong bì nguyên vẹn, cần {needed} mảnh để mở. Mã đối chiếu của \
        nhật ký bằng chứng, ghi lại ở nơi khác: {code}";
    NOT_A_HOLDER: "`{id}` holds no share by the plan; those who do: {people}"
        => "theo kế hoạch, `{id}` không giữ mảnh khóa; những người giữ: {people}";
    TWO_WAYS: "`{id}` is named twice" => "`{id}` được nêu hai lần";
    NAME_HOLDERS: "name each person with the role `share_holder` once"
        => "nêu mỗi người có vai trò `share_holder` một lần";
    NOBODY_SEEN: "nobody is named: who was there, and whose seal was broken?"
        => "chưa nêu ai: ai có mặt, niêm phong của ai bị rách?";
    SHARES_UNKNOWN: "nobody knows how many shares open: they were never typed back"
        => "chưa biết cần bao nhiêu mảnh để mở: chưa nhập thử mảnh khóa lần nào";
    GIVE_SHARES: "give `--shares K/N`, or prove the paper with `lifeboat key recovery check`"
        => "nêu `--shares K/N`, hoặc kiểm chứng bản giấy bằng `lifeboat key recovery check`";
    UNREADABLE: "the continuity plan `{path}` cannot be read: {detail}"
        => "không đọc được kế hoạch bảo đảm hoạt động liên tục `{path}`: {detail}";
    NAME_PLAN: "write one (see doc/continuity.md), and name it in the configuration file: \
        `[continuity]` with `plan = \"/path/plan.toml\"`"
        => "lập kế hoạch (xem doc/vi/continuity.md) rồi nêu đường dẫn trong tệp cấu hình: \
        `[continuity]` với `plan = \"/path/plan.toml\"`";
    MISTAKES: "{mistakes}" => "kế hoạch chưa đúng:\n{mistakes}";
    CORRECT: "correct the plan; nothing was started"
        => "sửa kế hoạch; chưa có gì được thực hiện";
    PLAN_WRONG: "the continuity plan `{path}` has mistakes: this drill does without it; see \
        `lifeboat continuity validate`"
        => "kế hoạch `{path}` còn chỗ sai: cuộc diễn tập này không dùng kế hoạch; xem \
        `lifeboat continuity validate`";
    NOBODY: "`{id}` is to lead the drill and is nobody of the continuity plan (its people: \
        {people})"
        => "`{id}` được giao thực hiện cuộc diễn tập nhưng không có trong kế hoạch (người trong \
        kế hoạch: {people})";
    NAME_SOMEBODY: "name an id that stands under `[people]` of plan.toml"
        => "nêu một mã có trong `[people]` của plan.toml";
    NAME_PERIOD: "name a month such as `--period 2026-11`, or a year such as `--period 2026`"
        => "nêu một tháng, ví dụ `--period 2026-11`, hoặc một năm, ví dụ `--period 2026`";
    PERIOD_AHEAD: "{period} has not begun" => "kỳ {period} chưa bắt đầu";
    NO_ENDING: "`{path}` does not say what it is to become: expected an ending of `.pdf`, \
        `.docx`, `.html` or `.json`"
        => "`{path}` chưa cho biết định dạng: cần đuôi `.pdf`, `.docx`, `.html` hoặc `.json`";
    NAME_ENDING: "name a file such as `report.pdf`" => "nêu tên tệp, ví dụ `bao-cao.pdf`";
    REPORT_NOT_MADE: "the report cannot be made: {detail}" => "không lập được báo cáo: {detail}";
    USE_JSON: "use `-o report.json`: the data has everything"
        => "dùng `-o bao-cao.json`: tệp số liệu có đủ nội dung";
    REPORT_TITLE: "Report on backups and drills of {period}"
        => "Báo cáo sao lưu và diễn tập kỳ {period}";
    REPORT_WRITTEN: "report written to {path}" => "đã ghi báo cáo vào {path}";
    GOOD: "{path}: {services} services with {datasets} datasets, {people} people; no mistakes, \
        {warnings} warnings\n{table}"
        => "{path}: {services} dịch vụ nghiệp vụ với {datasets} tập dữ liệu, {people} người; \
        không có sai sót, {warnings} cảnh báo\n{table}";
    ORDER: "order" => "thứ tự";
    SERVICE: "service" => "dịch vụ";
    CRITICALITY: "criticality" => "mức quan trọng";
    OWNER: "owner" => "chủ dữ liệu";
    MTD: "MTD" => "ngừng tối đa";
    RTO: "RTO" => "khôi phục";
    RPO: "RPO" => "mất dữ liệu";
    DATASETS: "datasets" => "tập dữ liệu";
    NOT_APPROVED: "{value} (default, not approved)" => "{value} (mặc định, chưa phê duyệt)";
    NOT_SAID: "not set" => "chưa đặt";
    CRITICAL: "critical" => "đặc biệt quan trọng";
    IMPORTANT: "important" => "quan trọng";
    NORMAL: "normal" => "thông thường";
    NO_FRAMES: "the legal frames that are built in cannot be read: {detail}"
        => "không đọc được các khung pháp lý có sẵn trong chương trình: {detail}";
    REPORT_FRAMES: "this is a fault of the program: report it with its version"
        => "đây là sai sót của chương trình: hãy báo kèm số phiên bản";
    STORAGE_UNREAD: "storage `{storage}` was not read: {why}; what it holds is known from runs \
        only"
        => "chưa đọc được nơi lưu `{storage}`: {why}; nội dung ở đó chỉ biết qua các lượt chạy";
    COLOUR: "colour" => "màu";
    RULE: "rule" => "quy tắc";
    REASON: "why" => "lý do";
    RED: "RED" => "ĐỎ";
    AMBER: "AMBER" => "VÀNG";
    GREEN: "GREEN" => "XANH";
    CLAUSES: "clauses: {clauses}" => "điều khoản: {clauses}";
    ARTEFACTS: "papers: {artefacts}" => "hồ sơ: {artefacts}";
    TO_VERIFY: "{clause} (compare with the official text)"
        => "{clause} (cần đối chiếu văn bản gốc)";
    BOARD: "{org} ({profile}): {red} red, {amber} amber, {green} green, {open} not judged, of \
        {all} rules\n{table}\nnot judged yet, for this version has no facts for them:\n{list}"
        => "{org} ({profile}): {red} đỏ, {amber} vàng, {green} xanh, {open} chưa xét, trong {all} \
        quy tắc\n{table}\nchưa xét, vì phiên bản này chưa có căn cứ:\n{list}";
    NOT_CHAIR: "`{holder}` may not sign the plan: the ledger knows this holder as no chair"
        => "`{holder}` không được ký kế hoạch: nhật ký bằng chứng chưa công nhận là chủ trì";
    LET_CHAIR_IN: "let the key in with `lifeboat drill key add --may chair`, or use the chair's"
        => "công nhận khóa bằng `lifeboat drill key add --may chair`, hoặc dùng khóa của chủ trì";
    SIGNED: "{holder} has signed the plan; SHA-256 of its file: {hash}; code of all {size} \
        entries: {code}"
        => "{holder} đã ký kế hoạch; SHA-256 của tệp: {hash}; mã đối chiếu của {size} bản ghi: \
        {code}";
}
