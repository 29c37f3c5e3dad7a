//! Verbs that only read: `snapshots`, `ls`, `find`, `diff`, `check`; and `man`.

texts! {
    ID: "id" => "mã";
    TIME: "time" => "thời điểm";
    HOST: "host" => "máy";
    TAGS: "tags" => "nhãn";
    PATHS: "paths" => "đường dẫn";
    ENTRIES: "entries" => "số mục";
    SIZE: "size" => "dung lượng";
    PROBLEMS: "problems" => "vấn đề ghi nhận";
    GROUP_HOST: "host {value}" => "máy {value}";
    GROUP_PATHS: "paths {value}" => "đường dẫn {value}";
    GROUP_TAGS: "tags {value}" => "nhãn {value}";

    ONE_PATH: "both snapshots are compared beneath one path"
        => "hai bản chụp phải được so sánh dưới cùng một đường dẫn";
    PATH_WITH_FIRST: "give the path with the first snapshot only"
        => "chỉ ghi đường dẫn ở bản chụp thứ nhất";
    DIFF_TOTALS: "{added} added ({added_bytes}), {removed} removed ({removed_bytes}), \
        {changed} changed"
        => "thêm {added} ({added_bytes}), mất {removed} ({removed_bytes}), thay đổi {changed}";

    LOST: "lost: snapshot {id} {path}: {why}" => "đã mất: bản chụp {id} {path}: {why}";
    A_PART: "a part of it" => "một phần của bản chụp";
    CHECK_OK: "OK ({level}): {snapshots} snapshots, {entries} entries, {objects} objects; {looked}"
        => "ĐẠT (mức {level}): {snapshots} bản chụp, {entries} mục, {objects} khối dữ liệu; \
        {looked}";
    CHECK_DAMAGED: "DAMAGED ({level}): {snapshots} snapshots, {entries} entries, \
        {objects} objects; see what is lost above"
        => "KHÔNG ĐẠT (mức {level}): {snapshots} bản chụp, {entries} mục, \
        {objects} khối dữ liệu; xem phần đã mất ở trên";
    LINKED: "every object is there; no content was read"
        => "mọi khối dữ liệu đều có mặt; nội dung chưa được đọc";
    OPENED: "{read} of {total} packs read ({bytes})"
        => "đã đọc {read} trong {total} gói ({bytes})";

    PAGES: "{count} pages written" => "đã ghi {count} trang";
    PAGES_FAILED: "`{path}`: {detail}" => "`{path}`: {detail}";
    NAME_WRITABLE: "name a folder that you may write to"
        => "nêu một thư mục mà bạn được quyền ghi";
}
