//! What the rooms say of a problem, and what systems say. A room's words reach the command line as
//! they are; those that stand here are told in Vietnamese too, and a test finds each of them in the
//! source. What stands in a place called `rest` is told in the same way.

texts! {
    VANISHED: "vanished while the backup ran" => "biến mất trong lúc sao lưu";
    REPLACED: "replaced by something else while the backup ran"
        => "bị thay bằng thứ khác trong lúc sao lưu";
    CHANGED: "changed while it was read" => "bị thay đổi trong lúc đọc";
    CANNOT_OPEN: "cannot open: {rest}" => "không mở được: {rest}";
    CANNOT_READ: "cannot read: {rest}" => "không đọc được: {rest}";
    CANNOT_SEEK: "cannot seek: {rest}" => "không dò được vị trí: {rest}";
    NOT_BACK: "did not come back: {rest}" => "không khôi phục lại được: {rest}";
    SOURCE_UNREADABLE: "unreadable at the source" => "không đọc được ở nguồn dữ liệu";
    MISSING: "missing" => "thiếu";
    OTHER_KIND: "another kind of thing" => "khác loại";
    OTHER_SIZE: "another size" => "khác dung lượng";
    OTHER_BYTES: "other bytes" => "khác nội dung";
    UNREADABLE: "unreadable" => "không đọc được";
    ONLY_RESTORED: "only in the restored folder" => "chỉ có ở thư mục khôi phục thử";
    OTHER_LINK: "another link target" => "khác đích liên kết";
    OTHER_MODE: "other permissions" => "khác quyền truy cập";
    OTHER_TIME: "another modification time" => "khác thời điểm sửa đổi";
    PART_UNLISTED: "a part cannot be listed: {rest}" => "không liệt kê được một phần: {rest}";
    LINK_TO_NOTHING: "a hard link to nothing" => "liên kết cứng không trỏ tới đâu";
    LINK_OUTSIDE: "what it is a hard link to is not in the snapshot"
        => "tệp mà liên kết cứng này trỏ tới không có trong bản chụp";
    LINK_NOT_RESTORED: "what it is a hard link to was not restored"
        => "tệp mà liên kết cứng này trỏ tới chưa được khôi phục";
    DEVICE_LEFT_OUT: "a device, left out, for it was not allowed"
        => "tệp thiết bị, không khôi phục vì chưa được cho phép";
    FOLDER_IN_PLACE: "a folder stands in its place" => "một thư mục đang chiếm chỗ";
    COPY_MISSING: "this copy is missing" => "bản này bị thiếu";
    NODE_ALONE: "the second copy of this node is missing"
        => "thiếu bản thứ hai của nút dữ liệu này";
    NOT_COPIED: "it is not copied: something that it needs is lost here"
        => "không được sao chép: phần dữ liệu mà nó cần đã mất ở đây";
    NOT_REPLACED: "its manifest is damaged there, and a copy never replaces anything"
        => "bản kê của nó ở kho kia đã hỏng, còn lệnh sao chép không bao giờ ghi đè";
    COPY_LOST: "it is not copied: {rest}" => "không được sao chép: {rest}";
    LOST_IN_BOTH: "something that it needs is lost in both repositories"
        => "phần dữ liệu mà nó cần đã mất ở cả hai kho";
    NUMBER_TAKEN: "another snapshot has this number there: both were backed up to"
        => "ở kho kia đã có bản chụp khác mang số này: cả hai kho đều từng nhận sao lưu";
}

/// Everything that rooms say; of the rows that fit, the one with most words is told.
pub const ROOMS: [&[(&str, crate::cli::language::text::Text)]; 7] = [
    ALL,
    content::ALL,
    evidence::ALL,
    faults::ALL,
    sources::ALL,
    storage::ALL,
    super::keeping::drill::checks::ALL,
];

pub mod evidence;
pub mod storage;

/// Why a database, a command or a stream is no source.
pub mod sources {
    texts! {
        PLACE: "`{path}`: {rest}" => "`{path}`: {rest}";
        COMMAND: "command `{command}`: {rest}" => "lệnh `{command}`: {rest}";
        TOOL: "program `{tool}`: {rest}" => "chương trình `{tool}`: {rest}";
        SERVER: "server {server}: {rest}" => "máy chủ {server}: {rest}";
        DATABASE: "database `{name}`: {rest}" => "cơ sở dữ liệu `{name}`: {rest}";
        NO_DATABASE: "it has no database `{name}` that this user may open"
            => "không có cơ sở dữ liệu `{name}` mà người dùng này mở được";
        OLD_TOOL: "it is of version {found}, the server of version {wanted}: a dump takes a \
            program that is not older"
            => "thuộc phiên bản {found}, còn máy chủ thuộc phiên bản {wanted}: muốn kết xuất thì \
            chương trình không được cũ hơn máy chủ";
        NO_TRANSACTIONS: "its engine has no transactions: it may be of another moment than the \
            other tables"
            => "bảng này không có giao dịch: có thể thuộc thời điểm khác với các bảng còn lại";
        PASSWORD_UTF8: "expected a password in UTF-8" => "mật khẩu phải là UTF-8";
        NAMES_UTF8: "it answered with names that are not UTF-8"
            => "trả lời bằng những tên không phải UTF-8";
        LONG_ANSWER: "it printed more than {bytes} bytes" => "in ra nhiều hơn {bytes} byte";
        NO_FILE: "expected a file" => "phải là một tệp";
        NO_PLACE: "no place for a copy: {rest}" => "không có chỗ cho bản sao: {rest}";
        COPY_UNREAD: "cannot read the copy: {rest}" => "không đọc được bản sao: {rest}";
        NOT_COPIED: "cannot be copied: {rest}" => "không sao chép được: {rest}";
        NOT_CHECKED: "the copy cannot be checked: {rest}" => "không kiểm tra được bản sao: {rest}";
        DATABASE_DAMAGED: "the database is damaged: {detail}"
            => "cơ sở dữ liệu bị hỏng: {detail}";
        NOT_STARTED: "cannot start: {rest}" => "không khởi động được: {rest}";
        NO_PROGRAM: "no program is named" => "chưa nêu chương trình nào";
        EXIT_SAID: "exit code {code}: {words}" => "mã kết thúc {code}: {words}";
        EXIT: "exit code {code}" => "mã kết thúc {code}";
        FEW_BYTES: "it gave {bytes} bytes, at least {wanted} are expected"
            => "cho {bytes} byte, lẽ ra phải có ít nhất {wanted} byte";
        OTHER_BEGIN: "it does not begin as such a file does"
            => "phần đầu không giống loại tệp này";
        OTHER_END: "it does not end as such a file does: it may be cut off"
            => "phần cuối không giống loại tệp này: có thể bị cụt";
        LAST_LINE: "its last line does not match `{pattern}`: it may be cut off"
            => "dòng cuối không khớp `{pattern}`: có thể bị cụt";
        ANOTHER_FAILED: "not read, for another one failed"
            => "không đọc, vì một luồng khác đã hỏng";
        HAS_FAILED: "the command has failed" => "lệnh kết thúc không bình thường";
        SHRUNK: "there usually are {usual}, now there are {now}: {percent} % is gone, and at most \
            {most} % may be (expect.shrink_max)"
            => "thường có {usual}, nay có {now}: đã mất {percent} %, cho phép tối đa {most} % \
            (expect.shrink_max)";
        OWN_SUBVOLUME: "a subvolume of its own, which the snapshot does not hold: give it a backup \
            of its own"
            => "một subvolume riêng, không nằm trong bản chụp của hệ thống tệp: cần một mục \
            sao lưu riêng";
        LEFT_SNAPSHOT: "an earlier backup has left a snapshot: {rest}"
            => "lượt sao lưu trước để lại một bản chụp của hệ thống tệp: {rest}";
        NO_BTRFS: "it lies on no Btrfs: leave `snapshot` out for it"
            => "không nằm trên Btrfs: bỏ khóa `snapshot` cho mục này";
        OTHERS_CHANGE: "others can change the folder `{folder}`, and so what is read: \
                        leave `snapshot` out for it"
            => "người khác thay đổi được thư mục `{folder}`, nên có thể đổi cả nội dung \
                được đọc: hãy bỏ `snapshot` cho thư mục này";
        NO_UNIFIED: "the system has no unified control groups"
            => "hệ thống không có control group hợp nhất";
        NOT_DELEGATED: "the service manager has not handed over {what}: give the service \
            `Delegate=memory cpu`"
            => "trình quản lý dịch vụ chưa giao quyền {what}: thêm `Delegate=memory cpu` cho \
            dịch vụ";
        TWO_STREAMS: "two streams have this name" => "có hai luồng mang tên này";
    }
}

/// Why something stored is not as it should be, as rooms say it.
pub mod faults {
    texts! {
        HASH: "its bytes do not have the hash that it is named by"
            => "nội dung không khớp mã băm trong tên";
        GONE: "it is missing" => "bị thiếu";
        LENGTH: "it has {bytes} bytes, {wanted} are expected"
            => "dài {bytes} byte, lẽ ra phải dài {wanted} byte";
        TOO_LONG: "it is longer than {bytes} bytes, the most that it may have"
            => "dài quá {bytes} byte, là mức tối đa cho phép";
        MISPLACED: "it names another {field} than its place says"
            => "ghi {field} khác với nơi lưu của nó";
        SIGNATURE: "its signature is not accepted: {rest}" => "chữ ký không được chấp nhận: {rest}";
        NOT_ADMIN: "it is not signed by an administrator" => "không có chữ ký của người quản trị";
        NOT_MACHINE: "it is not signed by machine {machine}" => "không có chữ ký của máy {machine}";
        NOT_ENROLLED: "machine {machine} is not enrolled" => "máy {machine} chưa được ghi danh";
        NO_RIGHT: "it is signed by {signer}, who has no right to"
            => "do {signer} ký, mà người này không có quyền";
        NAME: "it belongs under the name `{name}`" => "lẽ ra phải mang tên `{name}`";
        ENDS: "{what}: record ends early" => "{what}: bản ghi bị cụt";
        LEFT_OVER: "{what}: {bytes} bytes are left over" => "{what}: thừa {bytes} byte";
        OTHER_KEY: "sealed with another key or for another place (commitment differs)"
            => "được niêm phong bằng khóa khác hoặc cho nơi khác";
        ALTERED: "altered (authentication tag differs)" => "bị sửa đổi (không khớp mã xác thực)";
        CHECKSUM: "{noun} is damaged (checksum differs)"
            => "{noun} bị hỏng (không khớp mã kiểm tra)";
        FORM: "{noun} has an unknown field or a wrong form"
            => "{noun} có trường lạ hoặc sai cấu trúc";
        OTHER_NAME: "{noun} lies under a name that is not its own"
            => "{noun} nằm dưới tên không phải của nó";
        NOT_OURS: "not a {noun}: it does not begin as a record of lifeboat"
            => "không phải {noun}: phần đầu không giống bản ghi của lifeboat";
        NO_GOOD_COPY: "`{name}` and all its copies are missing"
            => "thiếu `{name}` và mọi bản của nó";
        BEHIND_THE_END: "it lies behind the end of the file" => "nằm ngoài phần cuối của tệp";
        NO_INDEX: "no index file names pack {pack}; its own table does"
            => "không tệp mục lục nào ghi gói {pack}; bảng của chính gói thì có";
        DIFFERS: "it differs from the copy before it" => "khác với bản đứng trước";
        NOT_A_PACK: "it does not begin as a pack of version 1"
            => "phần đầu không giống gói phiên bản 1";
        OTHER_OBJECTS: "it tells of other objects than the index"
            => "ghi các khối dữ liệu khác với tệp mục lục";
        NONE_LEFT: "no good copy of them is left" => "không còn bản nào nguyên vẹn";
        NONE_OF_CONTENT: "no good copy of objects that hold its content is left"
            => "không còn bản nào nguyên vẹn của các khối chứa nội dung";
        NONE_OF_TREE: "no good copy of a part of its tree is left"
            => "không còn bản nào nguyên vẹn của một phần cây thư mục";
        NOT_WHAT_IT_WAS: "its content is not what it was when it was backed up"
            => "nội dung không còn như lúc sao lưu";
        BAD_TWIN: "a copy of a manifest is bad: {rest}; the other one is good"
            => "một bản của bản kê bị hỏng ({rest}); bản kia nguyên vẹn";
        ONE_TWIN: "a backup was interrupted between the two copies of its manifest; the next \
            backup of this folder writes it"
            => "lần sao lưu bị ngắt giữa hai bản của bản kê; lần sao lưu tới của thư mục này sẽ \
            ghi bản còn thiếu";
        MANIFEST_LOST: "a manifest is lost: {rest}" => "mất một bản kê: {rest}";
        TOMBSTONE_BAD: "a tombstone is bad: {rest}" => "một bản ghi xóa bị hỏng: {rest}";
        NOTE_TWIN: "a copy of a note is bad: {rest}; the other one is good"
            => "một bản của ghi chú bị hỏng ({rest}); bản kia nguyên vẹn";
        NOTE_ONE: "tag was interrupted between the two copies of a note; the next tag of this \
            snapshot writes it"
            => "lệnh tag bị ngắt giữa hai bản của ghi chú; lệnh tag tới của bản chụp này sẽ ghi \
            bản còn thiếu";
        NOTE_LOST: "a note is lost: {rest}" => "mất một ghi chú: {rest}";
        NOTE_GAP: "note {number} is missing" => "thiếu ghi chú số {number}";
        NOTE_BEFORE: "the note before is another than the one it was made after"
            => "ghi chú đứng trước không phải là ghi chú mà nó nối tiếp";
        NEWER: "{what}: version {found}, this program knows 1"
            => "{what}: phiên bản {found}, chương trình này chỉ biết phiên bản 1";
        GAP: "snapshot {seq} is missing without a tombstone"
            => "thiếu bản chụp số {seq} mà không có bản ghi xóa";
        GAPS: "snapshots {first} to {last} are missing without a tombstone"
            => "thiếu các bản chụp số {first} đến {last} mà không có bản ghi xóa";
        FORK: "{count} snapshots have number {seq}: two writers for one source"
            => "{count} bản chụp cùng mang số {seq}: hai máy cùng ghi cho một nguồn dữ liệu";
        OTHER_BEFORE: "the snapshot before is another than the one it was made after"
            => "bản chụp đứng trước không phải là bản mà nó nối tiếp";
        STRANGER: "the name belongs to nothing that is known"
            => "tên này không thuộc về gì đã biết";
        SET_BACK: "this machine made it, and it is gone without a tombstone: removed, or the whole \
            storage was set back"
            => "máy này đã tạo, nay mất mà không có bản ghi xóa: bị xóa, hoặc cả nơi lưu đã bị \
            đưa về trạng thái cũ";
        LIST_SET_BACK: "the newest recipients list has version {found}, this machine knows version \
            {known}: the storage was set back, or a list was removed"
            => "danh sách người nhận mới nhất là bản {found}, máy này đã biết bản {known}: nơi lưu \
            đã bị đưa về trạng thái cũ, hoặc một danh sách đã bị xóa";
        ELSEWHERE: "{rest}; what it tells is looked for elsewhere"
            => "{rest}; nội dung của nó được tìm ở chỗ khác";
        OBJECT_AT: "object at {offset}: {rest}" => "khối dữ liệu tại {offset}: {rest}";
        OBJECT: "object {sid}: {rest}" => "khối dữ liệu {sid}: {rest}";
        OBJECT_LOST: "object {sid} is lost: {count} copies are known, none is good"
            => "mất khối dữ liệu {sid}: có {count} bản, không bản nào nguyên vẹn";
        OBJECT_UNKNOWN: "object {sid} is not in the repository"
            => "khối dữ liệu {sid} không có trong kho sao lưu";
        OBJECT_MISSING: "object {sid} is missing, at byte {at}"
            => "thiếu khối dữ liệu {sid}, tại byte {at}";
        NO_PACK: "it is in no pack that is known" => "không nằm trong gói nào đã biết";
        UNOPENED: "object `{sid}` does not open: {rest}"
            => "không mở được khối dữ liệu `{sid}`: {rest}";
        NOT_RECIPIENT: "the snapshot is sealed to none of the keys at hand"
            => "bản chụp không được niêm phong cho khóa nào đang có";
        PLACED: "`{name}`: {rest}" => "`{name}`: {rest}";
    }
}

/// What is told of a file that does not come out whole.
pub mod content {
    texts! {
        HAS_NONE: "has no content in the snapshot: it could not be read when it was backed up"
            => "không có nội dung trong bản chụp: tệp không đọc được lúc sao lưu";
        ONLY_BEGINNING: "is only its beginning: a read failed when it was backed up"
            => "chỉ có phần đầu: tệp đọc dở lúc sao lưu";
        SOCKET: "a socket belongs to a running program" => "socket thuộc về chương trình đang chạy";
        LEFT_OUT_LOST: "is not in the archive: its content is lost: {rest}"
            => "không có trong tệp lưu trữ: mất nội dung: {rest}";
        LEFT_OUT_LINK: "is not in the archive: nor is, whole, what it is a hard link to"
            => "không có trong tệp lưu trữ: tệp mà liên kết cứng này trỏ tới cũng không nguyên vẹn";
        LEFT_OUT: "is not in the archive: {rest}" => "không có trong tệp lưu trữ: {rest}";
        DAMAGED: "is damaged in the archive: {rest}" => "bị hỏng trong tệp lưu trữ: {rest}";
        RENAMED: "stands in the archive as `{written}`" => "trong tệp lưu trữ mang tên `{written}`";
        ATTRIBUTE: "attribute `{name}` cannot stand in an archive"
            => "tệp lưu trữ không giữ được thuộc tính `{name}`";
        ENTRIES_LOST: "entries are lost: {rest}" => "mất một số mục: {rest}";
        CONTENT_LOST: "content is lost: {rest}" => "mất nội dung: {rest}";
        REST_IN: "the rest is in `{name}`; lost bytes {ranges}: {rest}"
            => "phần còn lại ở trong `{name}`; mất các byte {ranges}: {rest}";
        ZEROS: "zeros stand for lost bytes {ranges}: {rest}"
            => "các byte đã mất được thay bằng số không: {ranges}: {rest}";
        DIGEST: "the digest of its content differs" => "nội dung không khớp mã băm";
        DIGEST_CHUNK: "the digest of a chunk differs" => "một khối không khớp mã băm";
        DIGEST_WHOLE: "the digest of the whole differs" => "toàn bộ nội dung không khớp mã băm";
        TOO_LONG: "its chunks are longer than its size" => "các khối dài hơn dung lượng của tệp";
        TOO_SHORT: "its chunks are shorter than its size" => "các khối ngắn hơn dung lượng của tệp";
        FOLDER_FAILED: "the folder that it belongs in could not be made"
            => "không tạo được thư mục chứa nó";
        FOLDER_LOST: "the folder's own entry is lost: it is made anew, without its attributes"
            => "mất mục của chính thư mục: tạo lại thư mục, không có thuộc tính";
        AGAIN_DIFFERS: "read again, its content differs" => "đọc lại thì nội dung khác";
        AGAIN_FAILED: "cannot be read again: {rest}" => "không đọc lại được: {rest}";
        CANNOT_SET: "cannot set {what}: {rest}" => "không đặt được {what}: {rest}";
        NOT_ALLOWED: "left out, for it was not allowed" => "không khôi phục vì chưa được cho phép";
        CANNOT_LIST: "cannot list: {rest}" => "không liệt kê được: {rest}";
        FULL_NAME: "`{path}` is not a file" => "`{path}` không phải là tệp";
        NO_FIRST: "`{path}` is another name of `{first}`, and that is not in the snapshot"
            => "`{path}` là tên khác của `{first}`, mà tệp đó không có trong bản chụp";
        NO_CONTENT: "`{path}` has no content: it could not be read when it was backed up"
            => "`{path}` không có nội dung: tệp không đọc được lúc sao lưu";
        LOST_AT: "the content of `{path}` is lost at byte {offset}: {rest}"
            => "nội dung của `{path}` bị mất tại byte {offset}: {rest}";
    }
}

/// What a Unix system says, by its number.
pub mod system {
    texts! {
        NOT_PERMITTED: "Operation not permitted (os error 1)"
            => "thao tác không được phép (os error 1)";
        NOT_FOUND: "No such file or directory (os error 2)"
            => "không có tệp hoặc thư mục đó (os error 2)";
        IO: "Input/output error (os error 5)" => "lỗi đọc ghi của thiết bị (os error 5)";
        DENIED: "Permission denied (os error 13)" => "không đủ quyền truy cập (os error 13)";
        EXISTS: "File exists (os error 17)" => "tệp đã có sẵn (os error 17)";
        NOT_A_FOLDER: "Not a directory (os error 20)" => "không phải thư mục (os error 20)";
        IS_A_FOLDER: "Is a directory (os error 21)" => "đây là thư mục (os error 21)";
        FULL: "No space left on device (os error 28)" => "ổ đĩa đã đầy (os error 28)";
        READ_ONLY: "Read-only file system (os error 30)"
            => "hệ thống tệp chỉ cho đọc (os error 30)";
        TOO_LONG: "File name too long (os error 36)" => "tên tệp quá dài (os error 36)";
    }
}
