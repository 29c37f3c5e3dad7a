//! `restore` and `dump`.

texts! {
    DELETE_WITH_PATTERNS:
        "--delete with --include or --exclude could remove what was merely not selected"
        => "--delete cùng --include hoặc --exclude có thể xóa cả phần chỉ là không được chọn";
    LEAVE_ONE_OUT: "leave one of them out" => "bỏ bớt một tùy chọn";
    NOT_IN_SNAPSHOT: "`{path}` is not in the snapshot" => "`{path}` không có trong bản chụp";
    SEE_LS: "see `lifeboat ls SNAPSHOT --recursive`"
        => "xem `lifeboat ls MÃ-BẢN-CHỤP --recursive`";

    DONE: "restored {count} of {total} entries ({bytes}) to {target}"
        => "đã khôi phục {count} trong {total} mục ({bytes}) vào {target}";
    KEPT: "; {count} were as wanted or protected" => "; {count} đã đúng sẵn hoặc được giữ lại";
    FAILED: "; {count} could not be restored" => "; {count} không khôi phục được";
    REMOVED: "; {count} removed" => "; {count} đã xóa";
    VERIFIED: "; {count} read again and compared" => "; {count} đã đọc lại và so sánh";

    CREATE: "create   {path}" => "tạo mới     {path}";
    REPLACE: "replace  {path}" => "thay thế    {path}";
    COMPARE: "compare  {path}" => "so sánh     {path}";
    KEEP: "keep     {path}" => "giữ nguyên  {path}";
    PROTECT: "protect  {path}" => "bảo vệ      {path}";
    BLOCKED: "blocked  {path}" => "bị chặn     {path}";

    NO_JSON: "the bytes of a file are no JSON lines"
        => "nội dung của tệp không phải là các dòng JSON";
    LEAVE_JSON: "leave --json out, or use `lifeboat restore --json`"
        => "bỏ --json, hoặc dùng `lifeboat restore --json`";
}
