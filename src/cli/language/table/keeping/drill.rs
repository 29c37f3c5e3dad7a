//! `drill`.

texts! {
    STATE: "state of drills `{path}`: {detail}" => "trạng thái diễn tập `{path}`: {detail}";
    SEE_STATE: "see that this user may write the folder for local state"
        => "xem người dùng này có được ghi vào thư mục trạng thái hay không";
    NO_DRILL: "no drill is called `{name}`; the file has: {drills}"
        => "không có cuộc diễn tập tên `{name}`; tệp có: {drills}";
    NAME_DRILL: "name a [[drill]] of the configuration"
        => "nêu một cuộc diễn tập [[drill]] của tệp cấu hình";
    NOT_SUPPORTED: "not supported in this version: {what}"
        => "phiên bản này chưa hỗ trợ: {what}";
    USE_FULL: "set mode = \"full\"" => "đặt mode = \"full\"";
    SANDBOX: "the sandbox cannot be made: {detail}"
        => "không tạo được môi trường cách ly: {detail}";
    OTHER_SANDBOX: "give another sandbox.path" => "đặt sandbox.path khác";
    A_SANDBOX: "sandbox {path}" => "môi trường cách ly {path}";
    CLEARED: "what drill {code} had left was removed"
        => "đã hủy phần sót lại của cuộc diễn tập {code}";
    NO_RECORD: "no record of a drill is called `{id}`"
        => "không có bản ghi diễn tập `{id}`";
    SEE_LIST: "see `lifeboat drill list`" => "xem `lifeboat drill list`";

    PASS: "proven" => "ĐẠT";
    CONDITIONAL: "proven, with conditions" => "ĐẠT CÓ ĐIỀU KIỆN";
    FAIL: "NOT PROVEN" => "KHÔNG ĐẠT";
    INCONCLUSIVE: "NO CONCLUSION" => "KHÔNG KẾT LUẬN";
    CHECK_PASS: "passed" => "Đạt";
    CHECK_FAIL: "FAILED" => "Không đạt";
    CHECK_SKIP: "not carried out" => "Không thực hiện";
    CHECK_TIMEOUT: "timed out" => "Quá hạn";
    CHECK_NA: "not applicable" => "Không áp dụng";

    HEAD: "Drill {code}: {verdict}" => "Diễn tập {code}: {verdict}";
    ITEM: "\n{name}: {verdict}" => "\n{name}: {verdict}";
    SNAPSHOT: "  snapshot {id} of {taken}, from {storage}"
        => "  bản chụp {id} lúc {taken}, từ {storage}";
    RTO: "  recovery time  {found} (target {target})"
        => "  thời gian khôi phục  {found} (mục tiêu {target})";
    RPO: "  data loss      {found} (target {target})"
        => "  mức mất dữ liệu      {found} (mục tiêu {target})";
    NO_TARGET: "none set" => "chưa đặt";
    NOT_REACHED: "not reached" => "chưa đạt tới";
    PROOF: "  proof level    {found} (needed {needed})"
        => "  mức chứng minh       {found} (cần {needed})";
    NONE: "none" => "không có";
    CHECKS: "  checks         {passed} passed, {failed} failed, {skipped} not carried out"
        => "  kiểm tra             {passed} đạt, {failed} không đạt, {skipped} không thực hiện";
    BAD_CHECK: "  {result}: {id}: expected {expected}, found {found}"
        => "  {result}: {id}: mong đợi {expected}, thực tế {found}";
    WHY: "  {result}: {id}: {detail}" => "  {result}: {id}: {detail}";
    ATTACK: "  SIGNS OF AN ATTACK: do not restore from this snapshot before somebody has looked"
        => "  DẤU HIỆU TẤN CÔNG: không khôi phục từ bản chụp này khi chưa có người kiểm tra";
    RECORD: "\nThe record is in  {path}" => "\nBản ghi ở  {path}";

    WOULD: "Would restore {count} datasets ({bytes}) into {path}:"
        => "Sẽ khôi phục {count} tập dữ liệu ({bytes}) vào {path}:";
    WOULD_ITEM: "  {name}: snapshot {id} of {taken}" => "  {name}: bản chụp {id} lúc {taken}";
    WOULD_MISS: "  {name}: no snapshot in this storage"
        => "  {name}: không có bản chụp ở nơi lưu này";

    COLUMN_CODE: "code" => "mã";
    COLUMN_STARTED: "began" => "bắt đầu";
    COLUMN_VERDICT: "verdict" => "kết luận";
    COLUMN_DATASETS: "datasets" => "tập dữ liệu";
}
