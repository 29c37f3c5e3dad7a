//! What storages over the network say.

texts! {
    FAILED_ALL: "{operation} {location}: {rest}" => "{operation} {location}: {rest}";
    IN_THE_WAY: "something that is not a regular file has this name"
        => "tên này đang thuộc về thứ không phải tệp thường";
    NO_FILE: "not a regular file" => "không phải tệp thường";
    HANDLES: "{rest}: this process may have {count} open at once"
        => "{rest}: tiến trình này chỉ được mở {count} tệp cùng lúc";
    HANDLES_ALL: "{rest}: the whole machine has no more" => "{rest}: cả máy đã hết";
    FAILED: "{operation} `{name}` in {location}: {rest}"
        => "{operation} `{name}` tại {location}: {rest}";

    ENDPOINT: "the endpoint: expected `https://host` or `https://host:port`"
        => "endpoint phải có dạng `https://host` hoặc `https://host:port`";
    NO_ADDRESS: "the endpoint and the names make no address"
        => "endpoint và các tên không ghép được thành địa chỉ";
    BUCKET_NAME: "`{bucket}` names no bucket: 3 to 255 of letters, 0-9 - . _"
        => "`{bucket}` không phải tên bucket: phải gồm 3 đến 255 ký tự là chữ cái, 0-9 - . _";
    PREFIX: "`{prefix}` is no prefix: expected names with `/` between them"
        => "`{prefix}` không phải tiền tố: phải là các tên cách nhau bằng `/`";
    KEY_LINE: "{what}: expected a line of letters, found something else"
        => "{what}: phải là một dòng chữ, thực tế lại khác";
    NO_KEYS: "no keys that are valid now: neither in variables, nor in a profile, nor of this \
        instance"
        => "không có khóa nào còn hiệu lực: biến môi trường, hồ sơ và máy ảo này đều không có";
    CA_FILE: "`{path}`: expected certificates in PEM, found something else"
        => "`{path}`: phải là chứng thư số dạng PEM, thực tế lại khác";
    UNTRUSTED: "the server's certificate is not trusted ({why}); `ca_file` names the certificate \
        of its authority"
        => "chứng thư số của máy chủ không được tin cậy ({why}); `ca_file` là nơi ghi chứng thư \
        số của tổ chức cấp";

    NO_BUCKET: "there is no such bucket; an administrator makes one"
        => "không có bucket này; hãy nhờ quản trị viên tạo";
    BUCKET_GONE: "there is no such bucket: {code}" => "không có bucket này: {code}";
    NO_RIGHT: "the keys have no right to do this: {code}"
        => "khóa không có quyền làm việc này: {code}";
    NO_SUCH_KEY: "the server does not know the access key: {code}"
        => "máy chủ không biết khóa truy cập (access key) này: {code}";
    WRONG_SECRET: "the secret key is wrong: {code}" => "khóa bí mật (secret key) sai: {code}";
    SESSION_ENDED: "the session of the keys has ended or is wrong: {code}"
        => "phiên của khóa đã hết hạn hoặc sai: {code}";
    CLOCKS: "the clock of this machine and that of the server differ too much: {code}"
        => "đồng hồ của máy này và của máy chủ lệch nhau quá nhiều: {code}";
    AHEAD: "the clock of this machine and that of the server differ too much: {code}: this \
        machine's is {seconds} s ahead of the server's"
        => "đồng hồ của máy này và của máy chủ lệch nhau quá nhiều: {code}: máy này nhanh hơn máy \
        chủ {seconds} giây";
    BEHIND: "the clock of this machine and that of the server differ too much: {code}: this \
        machine's is {seconds} s behind the server's"
        => "đồng hồ của máy này và của máy chủ lệch nhau quá nhiều: {code}: máy này chậm hơn máy \
        chủ {seconds} giây";
    QUOTA: "the quota is used up: {code}" => "đã dùng hết hạn mức: {code}";
    NO_ROOM: "the server has no room left: {code}" => "máy chủ đã hết chỗ: {code}";
    BUSY: "the server is busy: {code}" => "máy chủ đang bận: {code}";
    TAKEN: "the name is taken: {code}" => "tên đã có người dùng: {code}";
    NO_BLOB: "no such blob: {code}" => "không có mẩu dữ liệu này: {code}";
    ANSWERED: "the server answered {code}" => "máy chủ trả lời {code}";

    NO_CONNECTION: "no connection within the time for it" => "hết thời gian mà chưa kết nối được";
    STALLED: "the connection stalled" => "kết nối bị đứng";
    NO_HOST: "no such host" => "không có máy chủ nào mang tên này";
    CONNECTION: "the connection failed: {rest}" => "kết nối không thành công: {rest}";
    ENDED: "the connection ended too early" => "kết nối kết thúc quá sớm";
    NO_S3: "the server says that it kept the blob, and gives no ETag: is it an S3 server?"
        => "máy chủ báo đã lưu nhưng không cho ETag: đây có phải máy chủ S3 không?";
    ENDLESS: "the listing does not end" => "danh sách không có điểm dừng";

    REPLACES: "the server ignores `If-None-Match`: of two writers of one name at the same moment \
        one replaces the other's; each new blob costs one more request"
        => "máy chủ bỏ qua `If-None-Match`: hai bên cùng ghi một tên một lúc thì bên này ghi đè \
        bên kia; mỗi mẩu dữ liệu mới tốn thêm một lượt hỏi";
    UNTRIED: "the keys may not write, so whether the server keeps a taken name was not tried"
        => "khóa không được ghi nên chưa thử được máy chủ có giữ tên đã dùng hay không";
    KEEPS_DELETED: "the bucket keeps versions: what prune removes needs room until a rule of the \
        bucket removes old versions"
        => "bucket giữ các phiên bản cũ: phần mà prune xóa vẫn chiếm chỗ cho tới khi quy tắc của \
        bucket xóa phiên bản cũ";
}
