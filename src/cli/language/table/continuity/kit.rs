//! `continuity kit`: made, and checked.

texts! {
    MADE: "`{path}`: {count} files; SHA-256 of their list: {hash}. Make two copies in two places"
        => "`{path}`: {count} tệp; SHA-256 của danh sách: {hash}. Hãy cất hai bản ở hai nơi";
    WHOLE: "`{path}`: all {count} files are as they were made; SHA-256 of their list: {hash}{bad}"
        => "`{path}`: cả {count} tệp đúng như khi lập; SHA-256 của danh sách: {hash}{bad}";
    OTHER_VERSION: "`{path}`: all {count} files are as they were made ({hash}), but its program is \
        not this one: make a new kit{bad}"
        => "`{path}`: cả {count} tệp đúng như khi lập ({hash}), nhưng chương trình khác bản đang \
        chạy: hãy lập bộ mới{bad}";
    BAD: "`{path}`: of {count} files (list {hash}) these are missing or not as they were made: \
        {bad}"
        => "`{path}`: trong {count} tệp (danh sách {hash}), các tệp thiếu hoặc đã bị sửa: {bad}";
    STRAYS: "`{path}`: all {count} files are as they were made ({hash}), but these are not in its \
        list: {strays}"
        => "`{path}`: cả {count} tệp đúng như khi lập ({hash}), nhưng có thêm tệp ngoài danh sách: \
        {strays}";
    STRAYS_TOO: "`{path}`: these are not in the list: {strays}"
        => "`{path}`: có thêm tệp ngoài danh sách: {strays}";
    NO_FILE: "it is no regular file" => "không phải là tệp thường";
    ARGUMENTS: "the configuration holds arguments of a program that prints a secret ({keys}): they \
        may be secret too, and would lie in the kit"
        => "cấu hình ghi cả tham số của chương trình in ra mật khẩu hoặc khóa ({keys}): tham số \
        ấy có thể cũng phải giữ kín mà sẽ nằm trong bộ khởi động";
    HIDE_ARGUMENTS: "write the program with its arguments into a script that only you can read, \
        and name the script alone as `command`"
        => "ghi chương trình cùng tham số vào một tệp lệnh chỉ mình đọc được, rồi chỉ nêu tệp \
        lệnh đó ở `command`";
    NEEDS_LIBRARIES: "the program in the kit needs the libraries of a system as new as this one; a \
        kit that is made by the program of `deploy/static` starts on any Linux"
        => "chương trình trong bộ khởi động cần thư viện của hệ điều hành mới bằng máy này; bộ lập \
        bằng chương trình do `deploy/static` tạo ra chạy được trên mọi máy Linux";
    SIGNED: "the hash of the list stands in the ledger; its code: {code}"
        => "mã băm của danh mục đã ghi vào nhật ký bằng chứng; mã đối chiếu: {code}";
    NO_KIT: "`{path}` cannot be read: {detail}" => "không đọc được `{path}`: {detail}";
    NAME_KIT: "name the folder that `lifeboat continuity kit` wrote; else make a new one"
        => "hãy nêu thư mục mà `lifeboat continuity kit` đã ghi; nếu không còn thì lập bộ mới";
    NOT_WRITTEN: "`{path}` cannot be written: {detail}" => "không ghi được `{path}`: {detail}";
    NAME_FOLDER: "name a folder that does not exist yet, in one that may be written to"
        => "hãy nêu một thư mục chưa có, nằm trong thư mục có quyền ghi";
    UNREADABLE: "what belongs into the kit cannot be read: {detail}"
        => "không đọc được phần phải đưa vào bộ khởi động: {detail}";
}
