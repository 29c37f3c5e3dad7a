//! `drill`: the ledger, its bundle and the inspection.

texts! {
    NO_LEDGER: "there is no ledger in this repository: no drill was ever recorded"
        => "kho này chưa có nhật ký bằng chứng: chưa ghi nhận cuộc diễn tập nào";
    HOLD_A_DRILL: "hold a drill first" => "hãy thực hiện một cuộc diễn tập trước";
    WRITTEN: "wrote {entries} entries and {documents} documents to {path}; the documents are in \
        clear, keep them as such"
        => "đã ghi {entries} bản ghi và {documents} tài liệu vào {path}; tài liệu không còn được \
        mã hóa, hãy bảo quản cẩn thận";
    BUNDLE_NOT_VALID: "the ledger does not verify: `lifeboat drill verify-evidence` lists what is \
        wrong with it"
        => "nhật ký bằng chứng không hợp lệ: `lifeboat drill verify-evidence` liệt kê các điểm sai";
    NO_CANARY: "no canary was placed yet: `lifeboat drill canary --place {name}`"
        => "chưa đặt tệp mồi: `lifeboat drill canary --place {name}`";
    CANARY_GONE: "the canary `{path}` is not there: see that the disk is, and that this is the \
        folder in use; none is added"
        => "không thấy tệp mồi `{path}`: xem ổ đĩa có được gắn không và đây có phải thư mục đang \
        dùng không; không đặt thêm tệp nào";
    CANARY_CHANGED: "the canary `{path}` has changed: see who changes files there; none is added"
        => "tệp mồi `{path}` đã bị thay đổi: xem ai đang sửa tệp ở đó; không đặt thêm tệp nào";
    CANARY_FAILED: "the canary `{path}`: {detail}" => "tệp mồi `{path}`: {detail}";
    A_CANARY: "canaries of {name}" => "tệp mồi của {name}";
    CANARY_PLACED: "canaries are in {path}" => "tệp mồi nằm ở {path}";
    NO_SUCH_CANARY: "no `[[backup]]` named `{name}` has canaries"
        => "không có việc sao lưu `[[backup]]` nào tên `{name}` đặt tệp mồi";
    GIVE_CANARY: "give it a `canary` in the configuration"
        => "hãy khai báo `canary` cho việc đó trong tệp cấu hình";
    NOT_WRITTEN: "cannot write {path}: {detail}" => "không ghi được {path}: {detail}";
    NAME_A_NEW_FOLDER: "name a folder that does not exist yet, in one that may be written to"
        => "hãy nêu một thư mục chưa có, nằm trong thư mục có quyền ghi";
    NOT_READ: "cannot read {path}: {detail}" => "không đọc được {path}: {detail}";
    NO_BUNDLE: "{path} is no inspection bundle: nothing of a ledger is in it"
        => "{path} không phải bộ hồ sơ kiểm tra: không có phần nào của nhật ký bằng chứng";
    MANY_FILES: "too many files for an inspection bundle"
        => "quá nhiều tệp so với một bộ hồ sơ kiểm tra";
    NAME_A_BUNDLE: "name the folder that `lifeboat drill bundle` wrote"
        => "hãy nêu thư mục mà `lifeboat drill bundle` đã ghi ra";
    NAME_A_FILE: "name a file that can be read" => "hãy nêu một tệp đọc được";
    NAME_A_NEW_FILE: "name a file that does not exist yet, in a folder that may be written to"
        => "hãy nêu một tệp chưa có, nằm trong thư mục có quyền ghi";
    KEY_MADE: "made a personal key for {holder}; fingerprint {print}; `lifeboat drill key add` \
        lets it in"
        => "đã tạo khóa cá nhân cho {holder}; dấu vân tay {print}; hãy chạy \
        `lifeboat drill key add` để công nhận khóa";
    KEY_ADDED: "{holder} may sign from entry {seq} on; fingerprint {print}"
        => "{holder} được ký kể từ bản ghi {seq}; dấu vân tay {print}";
    NO_RECORD: "drill {drill} has no record that could be signed"
        => "cuộc diễn tập {drill} chưa có biên bản ghi nhận để ký";
    SIGNED: "{holder} has signed the record of {drill}; code of all {size} entries: {code}"
        => "{holder} đã ký biên bản ghi nhận của cuộc diễn tập {drill}; mã đối chiếu của {size} \
        bản ghi: {code}";
    REFUSED: "{holder} has refused to sign the record of {drill}; code of all {size} entries: \
        {code}"
        => "{holder} đã từ chối ký biên bản ghi nhận của cuộc diễn tập {drill}; mã đối chiếu \
        của {size} bản ghi: {code}";
    NO_PERSONAL_KEY: "{detail}" => "không dùng được khóa cá nhân này\nchi tiết: {detail}";
    NAME_A_KEY: "name the file that `lifeboat drill key create` wrote for this repository"
        => "hãy nêu tệp mà `lifeboat drill key create` đã tạo cho kho này";
    MEND: "look at what happened to the storage, then \
        `lifeboat drill mend-checkpoint --reason TEXT`"
        => "xem điều gì đã xảy ra với nơi lưu, rồi chạy \
        `lifeboat drill mend-checkpoint --reason LÝ-DO`";
    MENDED: "the ledger says that its checkpoint of {size} entries is damaged, and has a new one. \
        Code of the ledger, to be written down elsewhere: {code}"
        => "nhật ký bằng chứng đã ghi rằng điểm đối chiếu của {size} bản ghi bị hỏng và có điểm \
        đối chiếu mới. Mã đối chiếu, ghi lại ở nơi khác: {code}";
    NOTHING_TO_MEND: "the newest checkpoint of the ledger fits; nothing was done"
        => "điểm đối chiếu mới nhất của nhật ký bằng chứng khớp; không làm gì";
    MORE: "{count} more findings are not listed" => "còn {count} điểm nữa không liệt kê";
    IS_INVALID: "INVALID: {what}" => "KHÔNG HỢP LỆ: {what}";
    IS_MISSING: "RECORD MISSING: {what}" => "THIẾU BẢN GHI: {what}";
    IS_NOTED: "note: {what}" => "lưu ý: {what}";
    VALID: "VALID: {entries} entries, {documents} documents, {drills} drills; the last entry is of \
        {time}"
        => "HỢP LỆ: {entries} bản ghi, {documents} tài liệu, {drills} cuộc diễn tập; bản ghi cuối \
        lúc {time}";
    INVALID: "INVALID: {entries} entries, {documents} documents, {drills} drills; the last \
        entry is \
        of {time}"
        => "KHÔNG HỢP LỆ: {entries} bản ghi, {documents} tài liệu, {drills} cuộc diễn tập; bản ghi \
        cuối lúc {time}";
    RECORD_MISSING: "RECORD MISSING: {entries} entries, {documents} documents, {drills} drills; \
        the \
        last entry is of {time}"
        => "THIẾU BẢN GHI: {entries} bản ghi, {documents} tài liệu, {drills} cuộc diễn tập; bản \
        ghi \
        cuối lúc {time}";
    FINGERPRINT: "fingerprint of the founding key: {print}" => "dấu vân tay khóa sáng lập: {print}";
    CODE: "code of all {size} entries: {code}" => "mã đối chiếu của toàn bộ {size} bản ghi: {code}";
    NOT_VERIFIED: "{detail}" => "nhật ký bằng chứng không hợp lệ\nchi tiết: {detail}";
    NOTHING_ADDED: "nothing was added to the ledger" => "chưa ghi thêm gì vào nhật ký bằng chứng";
    INSPECT: "`lifeboat drill bundle --out FOLDER`, then `lifeboat drill verify-evidence FOLDER` \
        lists all that is wrong; a twin on another storage may be whole"
        => "`lifeboat drill bundle --out FOLDER` rồi `lifeboat drill verify-evidence FOLDER` liệt \
        kê mọi điểm sai; bản sao ở nơi lưu khác có thể vẫn đầy đủ";
    NOT_OPENED: "{detail}" => "không mở được tài liệu của nhật ký bằng chứng\nchi tiết: {detail}";
    TAKE_THE_KEY: "open the repository with the restore key" => "hãy mở kho bằng khóa khôi phục";
    NOT_ALLOWED: "{detail}" => "từ chối ghi vào nhật ký bằng chứng\nchi tiết: {detail}";
    TAKE_ANOTHER_KEY: "sign with a key that the ledger knows, in its own role and order"
        => "hãy ký bằng khóa mà nhật ký bằng chứng công nhận, đúng vai trò và đúng thứ tự";
    SET_THE_CLOCK: "set the clock right and run it again" => "hãy chỉnh lại giờ rồi chạy lại";
    BUSY: "{detail}" => "nhiều bên cùng ghi vào nhật ký bằng chứng\nchi tiết: {detail}";
    NOT_ADDED: "{detail}" => "không ghi được vào nhật ký bằng chứng\nchi tiết: {detail}";
}
