//! `drill plan`: the programme of a month, and draws.

texts! {
    DATASET: "dataset" => "tập dữ liệu";
    WEIGHT: "weight" => "trọng số";
    WHY: "why" => "lý do";
    DRAWN: "drawn" => "được chọn ngẫu nhiên";
    NOT_DRAWN: "not drawn" => "không được chọn";
    IN_POOL: "in the pool" => "trong danh sách gốc";
    SEED: "seed {seed}\nroot {root} of {size} entries\npool {pool}\nword {word}"
        => "giá trị khởi tạo {seed}\ngốc {root} của {size} bản ghi\ndanh sách gốc {pool}\ntừ \
        {word}";
    NO_POOL: "no pool of {period} waits for a draw in the ledger"
        => "nhật ký bằng chứng chưa có danh sách gốc nào của kỳ {period} chờ chọn";
    DRAWN_ALREADY: "{period} was drawn already, by entry {seq} of the ledger: a month is drawn once"
        => "kỳ {period} đã được chọn tại bản ghi {seq} của nhật ký bằng chứng: mỗi kỳ chọn một lần";
    DRAW_STANDS: "put off with `lifeboat drill plan --defer` what cannot be drilled, or name \
        another month with `--period`"
        => "hoãn bằng `lifeboat drill plan --defer` phần chưa diễn tập được, hoặc nêu tháng khác \
        bằng `--period`";
    OTHER_PLAN: "the plan has changed since the pool of {period} was frozen"
        => "kế hoạch đã thay đổi sau khi chốt danh sách gốc của kỳ {period}";
    FREEZE_FIRST: "freeze the pool with `lifeboat drill plan --freeze`, then let the chair say a \
        word"
        => "chốt danh sách gốc bằng `lifeboat drill plan --freeze`, rồi để chủ trì nêu một từ";
    DRAWN_WITHOUT: "drill `{drill}` takes what is drawn, and there is no plan that can be read"
        => "cuộc diễn tập `{drill}` lấy phần được chọn ngẫu nhiên, mà không có kế hoạch nào đọc \
        được";
    WRITE_PLAN: "write `plan.toml` beside the configuration and look at it with `lifeboat \
        continuity validate`"
        => "viết `plan.toml` bên cạnh tệp cấu hình và kiểm tra bằng `lifeboat continuity validate`";
    NOT_YET_DRAWN: "{period} was not drawn yet" => "kỳ {period} chưa được chọn ngẫu nhiên";
    NOTHING_THERE: "nothing that {period} asks for has snapshots in storage `{storage}`"
        => "không tập dữ liệu nào của kỳ {period} có bản chụp ở nơi lưu `{storage}`";
    NAME_ONE_BESIDE: "name one under `datasets` of the drill: it is restored beside what is drawn"
        => "nêu một tập tại `datasets` của cuộc diễn tập: tập đó được khôi phục cùng phần được \
        chọn";
    YOUNG: "the ledger has no entry that is a day old: whoever draws could have made its root"
        => "nhật ký bằng chứng chưa có bản ghi nào đủ một ngày: người chọn có thể đã tự tạo gốc";
    DRAW_TOMORROW: "draw again a day after the first entry" => "chọn lại sau bản ghi đầu một ngày";
    NO_DATASET: "the plan has no dataset `{dataset}`"
        => "kế hoạch không có tập dữ liệu `{dataset}`";
    NAME_DATASET: "`lifeboat drill plan` lists them" => "`lifeboat drill plan` liệt kê các tập";
}
