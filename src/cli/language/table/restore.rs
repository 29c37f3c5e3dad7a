//! `restore` and `dump`.

texts! {
    ON_RECORD: "on record as {subject}; code of the ledger, to be written down elsewhere: {code}"
        => "đã ghi vào nhật ký bằng chứng là {subject}; mã đối chiếu, ghi lại ở nơi khác: {code}";
    NOBODY: "the plan knows nobody called `{id}`: the record names nobody"
        => "kế hoạch không có ai tên `{id}`: bản ghi không nêu người thực hiện";
    DELETE_WITH_PATTERNS:
        "--delete with --include or --exclude could remove what was merely not selected"
        => "--delete cùng --include hoặc --exclude có thể xóa cả phần chỉ là không được chọn";
    LEAVE_ONE_OUT: "leave one of them out" => "bỏ bớt một tùy chọn";
    NOT_IN_SNAPSHOT: "`{path}` is not in the snapshot" => "`{path}` không có trong bản chụp";
    SEE_LS: "see `lifeboat ls SNAPSHOT --recursive`"
        => "xem `lifeboat ls MÃ-BẢN-CHỤP --recursive`";

    NOTHING_MATCHES: "nothing in the snapshot matches the patterns"
        => "không có gì trong bản chụp khớp với các mẫu";
    DONE: "restored {count} of {total} entries ({bytes}) to {target}"
        => "đã khôi phục {count} trong {total} mục ({bytes}) vào {target}";
    KEPT: "; {count} were as wanted or protected" => "; {count} đã đúng sẵn hoặc được giữ lại";
    FAILED: "; {count} could not be restored" => "; {count} không khôi phục được";
    UNREAD: "; the storage could not read {count} of them"
        => "; nơi lưu bản sao không đọc được {count} trong số đó";
    REMOVED: "; {count} removed" => "; {count} đã xóa";
    VERIFIED: "; {count} read again and compared" => "; {count} đã đọc lại và so sánh";

    CREATE: "create   {path}" => "tạo mới     {path}";
    REPLACE: "replace  {path}" => "thay thế    {path}";
    COMPARE: "compare  {path}" => "so sánh     {path}";
    KEEP: "keep     {path}" => "giữ nguyên  {path}";
    PROTECT: "protect  {path}" => "bảo vệ      {path}";
    BLOCKED: "blocked  {path}" => "bị chặn     {path}";

    DUMPED: "{count} members ({bytes}) are in `{target}`"
        => "đã ghi {count} tệp và thư mục ({bytes}) vào `{target}`";
    COPIES: "{count} hard links became copies" => "{count} liên kết cứng trở thành bản chép";
    NO_ATTRIBUTES: "{count} members have no extended attributes in the archive"
        => "{count} tệp trong tệp lưu trữ không có thuộc tính mở rộng";
    LEFT_OUT: "{count} entries are not in the archive; see above"
        => "{count} mục không có trong tệp lưu trữ; xem ở trên";
    DAMAGED: "{count} members are damaged in the archive: do not use them as they are; see above"
        => "{count} tệp trong tệp lưu trữ bị hỏng: không dùng nguyên như vậy; xem ở trên";
    LOST_NODES: "{count} parts of the snapshot's tree are lost with all entries in them; see above"
        => "mất {count} phần trong cây thư mục của bản chụp cùng mọi mục trong đó; xem ở trên";
    NO_NAME: "`{path}` has no name that a file may have" => "`{path}` không phải là tên tệp";
    NAME_FILE: "name a file" => "nêu một tên tệp";
    TAKEN: "`{path}` exists, and nothing is overwritten" => "`{path}` đã có, và không ghi đè gì";
    OTHER_FILE: "name another file, or move that one away"
        => "nêu tệp khác, hoặc chuyển tệp đó đi nơi khác";
    FILE_FAILED: "`{path}`: {detail}" => "`{path}`: {detail}";
    FILE_ROOM: "make room and run the command again, or name a file elsewhere"
        => "giải phóng chỗ rồi chạy lại lệnh, hoặc nêu tệp ở nơi khác";
    FILE_WRITABLE: "name a file in a folder that you may write to"
        => "nêu một tệp trong thư mục mà bạn được quyền ghi";
    NO_SUCH_FILE: "nothing stands under that name" => "chưa có gì mang tên đó";

    BAD_SERVER: "--into: {detail}" => "--into chưa đúng\nchi tiết: {detail}";
    CORRECT_SERVER: "write it as postgresql://USER@HOST:PORT/NAME or mariadb://USER@HOST:PORT/NAME"
        => "viết theo dạng postgresql://NGƯỜI-DÙNG@HOST:PORT/TÊN hoặc \
        mariadb://NGƯỜI-DÙNG@HOST:PORT/TÊN";
    PASSWORD_UNREAD: "the file `{path}` of --database-password-file: {detail}"
        => "không đọc được tệp `{path}` nêu ở --database-password-file: {detail}";
    NAME_PASSWORD: "name a file that you can read" => "nêu một tệp mà bạn đọc được";
    NOT_EMPTY: "database `{name}` is there and has {count} tables"
        => "cơ sở dữ liệu `{name}` đã có và chứa {count} bảng";
    OTHER_DATABASE: "name another one behind the server, or replace it with --overwrite always"
        => "nêu tên khác sau tên máy chủ, hoặc thay thế bằng --overwrite always";
    LOAD_FAILED: "`{tool}` did not take database `{name}`: {detail}"
        => "`{tool}` không nhận được cơ sở dữ liệu `{name}`\nchi tiết: {detail}";
    LOAD_ROLES: "create the roles first: `lifeboat dump SNAPSHOT:/postgresql/globals.sql | psql`"
        => "tạo các vai trò trước: `lifeboat dump MÃ-BẢN-CHỤP:/postgresql/globals.sql | psql`";
    LOAD_BY_HAND: "see what the server says, and restore into another name"
        => "xem máy chủ báo gì, rồi khôi phục vào một tên khác";
    LEFT_AS_IT_WAS: "what was loaded is removed again; nothing else was changed"
        => "phần đã nạp được xóa; không có gì khác thay đổi";
    LEFT_HALF: "database `{name}` is incomplete: do not use it"
        => "cơ sở dữ liệu `{name}` chưa đầy đủ: không được dùng";
    LEFT_BESIDE: "what was loaded is whole and stands as `{name}`"
        => "phần đã nạp đầy đủ và đang mang tên `{name}`";
    NO_SERVER_FILES: "snapshot {id} has no physical backup of a database server"
        => "bản chụp {id} không chứa bản sao vật lý của máy chủ cơ sở dữ liệu";
    NAME_PHYSICAL: "name a snapshot of a backup with `method = \"physical\"`; a dump goes into a \
        server with --database"
        => "nêu bản chụp của mục sao lưu có `method = \"physical\"`; bản kết xuất thì nạp vào máy \
        chủ bằng --database";
    FOLDER_NOT_EMPTY: "`{path}` is not empty, and nothing is overwritten"
        => "`{path}` không trống, và không ghi đè gì";
    OTHER_FOLDER: "name a folder that does not exist yet, in one that you may write to"
        => "nêu một thư mục chưa có, nằm ở nơi bạn được quyền ghi";
    UNPACK_FAILED: "`{tool}` did not take the files of {server}: {detail}"
        => "`{tool}` không nhận được các tệp của {server}\nchi tiết: {detail}";
    UNPACK_BY_HAND: "see what the program says; it comes with the server, in the same version"
        => "xem chương trình báo gì; chương trình này đi kèm máy chủ, cùng phiên bản";
    LEFT_UNREADY: "what stands in `{path}` is not complete: start no server on it"
        => "nội dung trong `{path}` chưa đầy đủ: không khởi động máy chủ trên đó";
    UNPACKED: "the files of {server} are in `{path}`: {bytes}; give them to the server's user and \
        start it on them"
        => "các tệp của {server} nằm trong `{path}`: {bytes}; hãy giao cho người dùng của máy chủ \
        rồi khởi động máy chủ trên đó";
    LOADED: "database `{name}` is restored as `{as}`: {bytes}, {tables} tables"
        => "đã khôi phục cơ sở dữ liệu `{name}` thành `{as}`: {bytes}, {tables} bảng";
}
