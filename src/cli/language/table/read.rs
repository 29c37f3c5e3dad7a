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

    NOTHING_TO_COMPARE: "nothing to compare with is named" => "chưa nêu cần so sánh với gì";
    NAME_SECOND: "name a second snapshot or `--with FOLDER`"
        => "nêu bản chụp thứ hai hoặc `--with THƯ-MỤC`";
    AS_THEY_ARE: "two snapshots are compared as they are: rules and --content say nothing"
        => "hai bản chụp được so sánh nguyên trạng: quy tắc loại trừ và --content không có \
        tác dụng";
    LEAVE_RULES: "leave them out, or compare with a folder: `--with FOLDER`"
        => "bỏ các tùy chọn đó, hoặc so sánh với một thư mục: `--with THƯ-MỤC`";
    NOTHING_FOUND: "nothing in the snapshots is like that"
        => "không có mục nào như thế trong các bản chụp";
    WIDEN: "correct the pattern, or ask for less at once"
        => "sửa lại mẫu, hoặc bớt điều kiện tìm";
    ONE_PATH: "both snapshots are compared beneath one path"
        => "hai bản chụp phải được so sánh dưới cùng một đường dẫn";
    PATH_WITH_FIRST: "give the path with the first snapshot only"
        => "chỉ ghi đường dẫn ở bản chụp thứ nhất";
    DIFF_TOTALS: "{added} added ({added_bytes}), {removed} removed ({removed_bytes}), \
        {changed} changed, {attributes} in attributes alone"
        => "thêm {added} ({added_bytes}), mất {removed} ({removed_bytes}), thay đổi {changed}, \
        chỉ khác thuộc tính {attributes}";

    A_NOTE: "note {place}" => "ghi chú {place}";
    A_SNAPSHOT: "snapshot {id}" => "bản chụp {id}";
    LOST: "lost" => "đã mất";
    LOST_FILE: "snapshot {id} {path}: {bytes} bytes: {why}"
        => "bản chụp {id} {path}: {bytes} byte: {why}";
    LOST_ALL: "snapshot {id} all of it: {why}" => "toàn bộ bản chụp {id}: {why}";
    LOST_FROM: "snapshot {id} from {from} to its end: {why}"
        => "bản chụp {id} từ {from} đến hết: {why}";
    LOST_BETWEEN: "snapshot {id} from {from} to before {before}: {why}"
        => "bản chụp {id} từ {from} đến trước {before}: {why}";
    LOST_OBJECTS: "snapshot {id} {count} objects: {why}"
        => "bản chụp {id} {count} khối dữ liệu: {why}";
    NO_COPY: "no good copy of this object is left"
        => "không còn bản nào nguyên vẹn của khối dữ liệu này";
    BAD: "{kind}: {why}" => "{kind}: {why}";
    BAD_HEAD: "{kind}, its first bytes: {why}" => "{kind}, phần đầu: {why}";
    BAD_OBJECT: "{kind}, {bytes} bytes at {offset}: {why}"
        => "{kind}, {bytes} byte tại vị trí {offset}: {why}";
    BAD_TABLE: "{kind}, its table: {why}" => "{kind}, bảng của gói: {why}";
    BAD_TRAILER: "{kind}, its last bytes: {why}" => "{kind}, phần cuối: {why}";

    CONFIG: "config" => "cấu hình";
    SLOT: "slot" => "khe khóa";
    KEYRING: "keyring" => "chùm khóa";
    RECIPIENTS: "recipients list" => "danh sách người nhận";
    MACHINE: "machine record" => "bản ghi máy";
    CUSTODY: "custody record" => "bản ghi kiểm chứng mảnh khóa";
    PACK: "pack" => "gói";
    INDEX: "index file" => "tệp mục lục";
    MANIFEST: "manifest" => "bản kê";
    TOMBSTONE: "tombstone" => "bản ghi xóa";
    NOTE: "note" => "ghi chú";
    SESSION: "session record" => "bản ghi phiên";
    CONDEMNED: "record of what goes" => "bản ghi phần sắp xóa";

    LEVEL_LISTED: "listed" => "liệt kê";
    LEVEL_LINKED: "linked" => "liên kết";
    LEVEL_READ: "read" => "đọc";
    LEVEL_OPENED: "opened" => "mở";
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
        files ({bytes}), {records} records of an unfinished init, {notes} notes of snapshots \
        that are gone, {quarantined} blobs in quarantine ({kept}), {unknown} names that belong to \
        nothing known"
        => "{text}\nkhông phải hư hỏng: {packs} gói còn lại của lần sao lưu dở dang, {files} tệp \
        viết dở ({bytes}), {records} bản ghi của lần khởi tạo dở dang, {notes} ghi chú \
        của bản chụp không còn, {quarantined} tệp trong nơi cách ly ({kept}), {unknown} tên không \
        thuộc về gì";

    FLAG_CHANGED: "changed_while_read" => "thay đổi trong lúc đọc";
    FLAG_UNREADABLE: "unreadable" => "không đọc được";
    FLAG_ATTRIBUTES: "attributes_incomplete" => "thiếu thuộc tính";
    FLAG_TRUNCATED: "truncated" => "bị cụt";

    PAGES: "{count} pages written" => "đã ghi {count} trang";
    PAGES_FAILED: "`{path}`: {detail}" => "`{path}`: {detail}";
    NAME_WRITABLE: "name a folder that you may write to"
        => "nêu một thư mục mà bạn được quyền ghi";
}
