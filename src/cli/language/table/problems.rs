//! What the rooms say of a problem, and what systems say. A room's words reach the command line as
//! they are; those that stand here are told in Vietnamese too, and a test finds each of them in the
//! source. A text may end in one place for the rest.

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
    NO_COPY: "no good copy of this object is left"
        => "không còn bản nào nguyên vẹn của khối dữ liệu này";
    COPY_MISSING: "this copy is missing" => "bản này bị thiếu";
    NODE_ALONE: "the second copy of this node is missing"
        => "thiếu bản thứ hai của nút dữ liệu này";
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
