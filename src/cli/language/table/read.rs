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
    CHECK_HEALABLE: "HEALABLE ({level}): {snapshots} snapshots, {entries} entries, \
        {objects} objects; {looked}\neverything restores, but a second copy is bad or missing: see \
        above"
        => "THIẾU BẢN DỰ PHÒNG (mức {level}): {snapshots} bản chụp, {entries} mục, \
        {objects} khối dữ liệu; {looked}\nmọi thứ vẫn khôi phục được, nhưng có bản thứ hai bị hỏng \
        hoặc thiếu: xem ở trên";
    CHECK_DAMAGED: "DAMAGED ({level}): {snapshots} snapshots, {entries} entries, \
        {objects} objects; {looked}\nsee what is lost above"
        => "KHÔNG ĐẠT (mức {level}): {snapshots} bản chụp, {entries} mục, \
        {objects} khối dữ liệu; {looked}\nxem phần đã mất ở trên";
    LISTED: "names, sizes and small records; nothing else was looked at"
        => "tên, dung lượng và các bản ghi nhỏ; ngoài ra chưa xem gì";
    LISTED_HASHED: "names, sizes and small records; {read} of {total} packs read and hashed \
        ({bytes})"
        => "tên, dung lượng và các bản ghi nhỏ; đã đọc và băm {read} trong {total} gói ({bytes})";
    LINKED: "every object was looked for; no content was read"
        => "đã tìm từng khối dữ liệu; nội dung chưa được đọc";
    READ_HASHED: "{read} of {total} packs read and hashed ({bytes})"
        => "đã đọc và băm {read} trong {total} gói ({bytes})";
    OPENED: "{read} of {total} packs read ({bytes}), opened and compared; {files} files of several \
        chunks compared whole"
        => "đã đọc {read} trong {total} gói ({bytes}), mở ra và đối chiếu; {files} tệp nhiều khối \
        được đối chiếu trọn vẹn";
    NO_DAMAGE: "{text}\nno damage: {packs} packs left by an interrupted backup, {files} unfinished \
        files ({bytes}), {records} records of an unfinished init, {unknown} names that belong to \
        nothing known"
        => "{text}\nkhông phải hư hỏng: {packs} gói còn lại của lần sao lưu dở dang, {files} tệp \
        viết dở ({bytes}), {records} bản ghi của lần khởi tạo dở dang, {unknown} tên \
        không thuộc về gì";

    PAGES: "{count} pages written" => "đã ghi {count} trang";
    PAGES_FAILED: "`{path}`: {detail}" => "`{path}`: {detail}";
    NAME_WRITABLE: "name a folder that you may write to"
        => "nêu một thư mục mà bạn được quyền ghi";
}
