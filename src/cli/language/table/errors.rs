//! Errors of the rooms. In English a room's own words are the message; a Vietnamese reader gets the
//! sentence of its kind first, and the room's words, which name the place, as detail.

texts! {
    CHECK: "run `lifeboat check` to see what is affected"
        => "chạy `lifeboat check` để xem phần nào bị ảnh hưởng";
    UPDATE: "use the version of lifeboat that wrote it, or a newer one"
        => "dùng phiên bản lifeboat đã ghi kho này, hoặc phiên bản mới hơn";
    RUN_AGAIN: "run it again" => "chạy lại lệnh";
    RUN_COMMAND_AGAIN: "run the command again" => "chạy lại lệnh";

    STORAGE_DENIED: "{detail}" => "không đủ quyền ở nơi lưu bản sao\nchi tiết: {detail}";
    GET_RIGHT: "get the right to read and write there"
        => "xin quyền đọc và ghi tại nơi lưu bản sao đó";
    STORAGE_FULL: "{detail}" => "nơi lưu bản sao đã đầy\nchi tiết: {detail}";
    MAKE_ROOM: "make room there and run the command again"
        => "giải phóng chỗ tại nơi đó rồi chạy lại lệnh";
    STORAGE_TAKEN: "{detail}" => "tên đã có ở nơi lưu bản sao\nchi tiết: {detail}";
    STORAGE_BLOCKED: "{detail}"
        => "tên này ở nơi lưu bản sao đang bị thứ khác chiếm\nchi tiết: {detail}";
    MOVE_AWAY: "look at what has this name, move it elsewhere and run the command again"
        => "xem thứ gì đang mang tên đó, chuyển nó đi nơi khác rồi chạy lại lệnh";
    FEW_HANDLES: "this process may have {count} files open at once; at least {least} are needed"
        => "tiến trình này chỉ được mở {count} tệp cùng lúc; cần ít nhất {least}";
    NO_HANDLES: "{detail}" => "không mở thêm được tệp nào nữa\nchi tiết: {detail}";
    MORE_HANDLES: "allow more open files: `ulimit -n 1024` in a shell, `LimitNOFILE=` for a \
        service, `sysctl fs.file-max` for the machine"
        => "cho phép mở nhiều tệp hơn: `ulimit -n 1024` trong shell, `LimitNOFILE=` cho dịch vụ, \
        `sysctl fs.file-max` cho cả máy";
    STORAGE_MISSING: "{detail}" => "thiếu một tệp ở nơi lưu bản sao\nchi tiết: {detail}";
    STORAGE_LENGTH: "{detail}" => "tệp ở nơi lưu bản sao sai độ dài\nchi tiết: {detail}";
    STORAGE_AWAY: "{detail}" => "nơi lưu bản sao không trả lời đúng\nchi tiết: {detail}";
    MAKE_SURE: "make sure that the storage is there and run the command again"
        => "kiểm tra nơi lưu bản sao còn kết nối rồi chạy lại lệnh";

    NEWER: "{detail}" => "kho sao lưu mới hơn chương trình này\nchi tiết: {detail}";
    FOREIGN: "{detail}" => "đây không phải kho sao lưu của lifeboat\nchi tiết: {detail}";
    NAME_OURS: "name a repository of lifeboat" => "nêu một kho sao lưu của lifeboat";
    NOT_OURS: "this is not a repository of lifeboat; nothing was changed"
        => "nơi này không phải kho sao lưu của lifeboat; chưa có gì bị thay đổi";
    RECORD_LOST: "{detail}" => "bản ghi của kho sao lưu bị hỏng hoặc mất\nchi tiết: {detail}";
    A_RECORD: "a record that is needed is lost" => "mất một bản ghi cần thiết";
    RECORD_FAILED: "{detail}" => "không xử lý được bản ghi của kho\nchi tiết: {detail}";

    NO_REPOSITORY: "{detail}" => "không có kho sao lưu tại nơi đã nêu\nchi tiết: {detail}";
    CHECK_NAME: "check the name, or make one with `lifeboat init`"
        => "kiểm tra lại tên, hoặc tạo kho mới bằng `lifeboat init`";
    OTHER_REPOSITORY: "{detail}" => "bản ghi ở đây là của một kho sao lưu khác\nchi tiết: {detail}";
    NAME_ONE: "name the folder of one repository; its own config is kept three times"
        => "nêu thư mục của đúng một kho sao lưu; cấu hình của kho được lưu ba bản";
    TWO_LIE_THERE: "records of two repositories lie there; nothing was changed"
        => "bản ghi của hai kho sao lưu nằm lẫn ở đó; chưa có gì bị thay đổi";
    SLOTS_LOST: "{detail}" => "không còn khe khóa nào đọc được\nchi tiết: {detail}";
    BRING_SLOTS: "bring back `slots/` from a copy, or use the shares: `lifeboat key recovery use`"
        => "lấy lại `slots/` từ một bản sao, hoặc dùng các mảnh khóa: `lifeboat key recovery use`";
    BUSY: "{detail}" => "kho sao lưu đang bận\nchi tiết: {detail}";
    RUN_LATER: "run the command again later" => "chạy lại lệnh sau";
    BUSY_KEPT: "no snapshot was made; what was sent is kept and reused"
        => "không tạo bản chụp; phần đã gửi được giữ lại để dùng tiếp";
    ALREADY_THERE: "{detail}" => "nơi này đã có kho sao lưu\nchi tiết: {detail}";
    NAME_EMPTY: "name an empty folder, or use the repository that is there"
        => "nêu một thư mục trống, hoặc dùng kho sao lưu đang có";
    WRONG_SECRET: "{detail}" => "mật khẩu hoặc khóa không đúng\nchi tiết: {detail}";
    TRY_ANOTHER: "try another passphrase, or `lifeboat key recovery use`"
        => "thử mật khẩu khác, hoặc `lifeboat key recovery use`";
    TRY_ANOTHER_KEY: "try another passphrase or key" => "thử mật khẩu hoặc khóa khác";
    NO_SUCH_KEY: "{detail}" => "không có khe khóa hoặc máy đó\nchi tiết: {detail}";
    SEE_KEY_LIST: "see `lifeboat key list`" => "xem `lifeboat key list`";
    LAST_SLOT: "{detail}" => "từ chối: đây là khe khóa cuối cùng còn mở được\nchi tiết: {detail}";
    ADD_ANOTHER: "add another with `lifeboat key add`"
        => "thêm khe khóa khác bằng `lifeboat key add`";
    WENT_BACK: "{detail}"
        => "từ chối: danh sách người nhận bị lùi về bản cũ\nchi tiết: {detail}";
    WHO_SET_BACK: "find out who set the storage back; `lifeboat check` tells more"
        => "tìm xem ai đã đưa kho sao lưu về trạng thái cũ; `lifeboat check` cho biết thêm";
    NOTHING_SEALED: "nothing was sealed to the older list, which may name somebody who was \
        removed since"
        => "chưa có gì được niêm phong theo danh sách cũ, vì trong đó có thể còn người đã bị loại";
    REVOKED: "{detail}" => "từ chối: máy này đã bị thu hồi quyền\nchi tiết: {detail}";
    ROTATED_MEANWHILE: "{detail}" => "có người khác vừa thay khóa\nchi tiết: {detail}";
    STORE_KEY_OLD: "{detail}" => "từ chối: bộ khóa của máy này đã cũ\nchi tiết: {detail}";
    RENEW_KEYSET: "give the passphrase once, or bring a renewed keyset: `lifeboat key renew`"
        => "nhập mật khẩu một lần, hoặc chép bộ khóa đã làm mới sang: `lifeboat key renew`";
    RESTORE_REPLACED: "{detail}" => "từ chối: khóa này đã được thay\nchi tiết: {detail}";
    ASK_FOR_SLOT: "use another passphrase, or ask an administrator for `lifeboat key add`"
        => "dùng mật khẩu khác, hoặc nhờ người quản trị chạy `lifeboat key add`";
    KEYS_FULL: "{detail}" => "từ chối: đã hết số thế hệ khóa\nchi tiết: {detail}";
    NEW_REPOSITORY: "make a new repository and go on there"
        => "tạo kho sao lưu mới và dùng tiếp ở đó";
    ASK_ADMINISTRATOR: "ask an administrator" => "hỏi người quản trị kho sao lưu";
    ROOT_OFFLINE: "{detail}" => "từ chối: khóa gốc không có ở đây\nchi tiết: {detail}";
    BRING_ROOT: "bring the root key's shares" => "mang các mảnh khóa của khóa gốc tới";
    RECOVERY_OFFLINE: "{detail}" => "từ chối: khóa khôi phục không có ở đây\nchi tiết: {detail}";
    BRING_NEWEST: "bring the newest shares: `lifeboat key recovery use`"
        => "mang bộ mảnh khóa mới nhất tới: `lifeboat key recovery use`";
    SHARES_UNFIT: "{detail}" => "các mảnh khóa không mở được kho sao lưu này\nchi tiết: {detail}";
    BRING_SHARES: "bring enough shares of one set" => "mang đủ mảnh khóa của cùng một bộ";
    LABEL_LONG: "{detail}" => "tên gọi quá dài\nchi tiết: {detail}";
    SHORTER: "give a shorter name" => "đặt tên ngắn hơn";
    KEYS_FAILED: "{detail}" => "không tạo được khóa\nchi tiết: {detail}";
    KEYS_DAMAGED: "{detail}" => "bản ghi khóa bị hỏng hoặc bị sửa đổi\nchi tiết: {detail}";
    SLOT_DAMAGED: "{detail}" => "khe khóa bị hỏng\nchi tiết: {detail}";
    NO_MEMORY: "{detail}" => "không đủ bộ nhớ\nchi tiết: {detail}";
    FREE_MEMORY: "free some memory and run it again" => "giải phóng bộ nhớ rồi chạy lại lệnh";
    SECRET_UNFIT: "{detail}" => "mật khẩu hoặc khóa không dùng được\nchi tiết: {detail}";
    GIVE_ANOTHER: "give another passphrase or key" => "đưa mật khẩu hoặc khóa khác";

    NO_SUCH_SNAPSHOT: "{detail}" => "không có bản chụp đó\nchi tiết: {detail}";
    SEE_SNAPSHOTS: "see `lifeboat snapshots`" => "xem `lifeboat snapshots`";
    DATA_DAMAGED: "{detail}" => "dữ liệu trong kho sao lưu bị hỏng hoặc mất\nchi tiết: {detail}";
    VAULT_FAILED: "{detail}" => "không ghi tiếp được vào kho sao lưu\nchi tiết: {detail}";
    GOES_ON: "run the command again; it goes on from there"
        => "chạy lại lệnh; chương trình làm tiếp từ chỗ dừng";
    NOT_A_RECIPIENT: "{detail}" => "khóa này không mở được bản chụp\nchi tiết: {detail}";
    OPEN_WITH: "open the repository with a key it is sealed to"
        => "mở kho sao lưu bằng một khóa được phép";
    SEAL_FAILED: "{detail}" => "không đóng gói được dữ liệu\nchi tiết: {detail}";
    TEST_MEMORY: "run the command again; test the memory if it stays"
        => "chạy lại lệnh; nếu vẫn vậy thì kiểm tra bộ nhớ của máy";

    SOURCE_MISSING: "{detail}" => "không đọc được nguồn dữ liệu\nchi tiết: {detail}";
    CORRECT_PATH: "correct the path" => "sửa lại đường dẫn";
    SOURCE_COMMAND: "{detail}" => "lệnh xuất dữ liệu không cho kết quả đầy đủ\nchi tiết: {detail}";
    RUN_BY_HAND: "run the command by hand and see what it says"
        => "tự chạy lệnh đó và xem nó báo gì";
    SOURCE_TOOL: "{detail}"
        => "thiếu chương trình kết xuất cơ sở dữ liệu hoặc chương trình quá cũ\nchi tiết: {detail}";
    INSTALL_TOOL: "install the server's own client programs, of its version or newer"
        => "cài các chương trình máy khách của máy chủ cơ sở dữ liệu, cùng phiên bản hoặc mới hơn";
    SOURCE_DATABASE: "{detail}" => "không sao lưu được cơ sở dữ liệu\nchi tiết: {detail}";
    SEE_DATABASE: "correct the source in the configuration file, or the user's rights on the server"
        => "sửa phần source trong tệp cấu hình, hoặc quyền của người dùng trên máy chủ";
    NO_SNAPSHOT: "no snapshot was made; nothing is lost"
        => "không tạo bản chụp; dữ liệu không bị mất";
    CUTTING: "{detail}" => "thông số cắt dữ liệu trong kho không hợp lệ\nchi tiết: {detail}";
    WORKER_GONE: "{detail}" => "một luồng xử lý dừng đột ngột\nchi tiết: {detail}";

    TARGET_FULL: "{detail}" => "nơi khôi phục đã đầy\nchi tiết: {detail}";
    TARGET_ROOM: "make room and run the same command again; it goes on"
        => "giải phóng chỗ rồi chạy lại đúng lệnh đó; chương trình làm tiếp";
    TARGET_DENIED: "{detail}" => "không đủ quyền ở nơi khôi phục\nchi tiết: {detail}";
    TARGET_WRITABLE: "choose a target that you may write to"
        => "chọn nơi khôi phục mà bạn được quyền ghi";
    TARGET_FAILED: "{detail}" => "không ghi được vào nơi khôi phục\nchi tiết: {detail}";
    TARGET_OTHER: "choose another target" => "chọn nơi khôi phục khác";
    TARGET_WHOLE: "what stands in the target under its final name is whole"
        => "tệp nào đã mang tên cuối cùng ở nơi khôi phục thì đều nguyên vẹn";
    RESTORED_SO_FAR: "what stands in the target is whole; the next run goes on from there"
        => "tệp đã có ở nơi khôi phục đều nguyên vẹn; lần chạy sau sẽ tiếp tục từ đó";
    NOTHING_SELECTED: "{detail}" => "bản chụp không có gì ở đường dẫn đã nêu\nchi tiết: {detail}";
    SEE_LS: "see `lifeboat ls SNAPSHOT --recursive`"
        => "xem `lifeboat ls MÃ-BẢN-CHỤP --recursive`";
    NOTHING_WRITTEN: "nothing was written" => "chưa ghi gì";
    DELETE_WITH_PATTERNS: "{detail}" => "--delete không dùng cùng mẫu tên\nchi tiết: {detail}";
    LEAVE_OUT_PATTERNS: "leave out the patterns or --delete" => "bỏ mẫu tên hoặc bỏ --delete";

    NOT_A_FILE: "{detail}" => "đường dẫn không phải là tệp\nchi tiết: {detail}";
    NAME_A_FILE: "name a file or a folder, or add `--archive tar`"
        => "nêu một tệp hoặc thư mục, hoặc thêm `--archive tar`";
    FILE_UNREADABLE: "{detail}" => "tệp không đọc được khi sao lưu\nchi tiết: {detail}";
    TAKE_EARLIER: "take the file from an earlier snapshot" => "lấy tệp từ một bản chụp trước đó";
    FILE_LOST: "{detail}" => "nội dung tệp trong kho sao lưu bị hỏng\nchi tiết: {detail}";
    NOT_WHOLE: "the whole file was not printed" => "tệp chưa được in ra đầy đủ";
}
