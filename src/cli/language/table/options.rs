//! Mistakes in options, variables and secrets.

texts! {
    LIMIT_ZERO: "{origin}: expected a size such as `5MiB`, found `0`"
        => "{origin}: cần một dung lượng như `5MiB`, nhưng gặp `0`";
    MISTAKES: "{mistakes}" => "{mistakes}";
    CORRECT_OPTION: "correct the option or variable; nothing was started"
        => "sửa tùy chọn hoặc biến môi trường; chưa có gì được thực hiện";
    EXPECTED_LANGUAGE: "{origin}: expected `en` or `vi`, found {found}"
        => "{origin}: phải là `en` hoặc `vi`, nhưng gặp {found}";
    BOTH_REPOSITORIES: "LIFEBOAT_REPOSITORY and LIFEBOAT_REPOSITORY_FILE are both set"
        => "LIFEBOAT_REPOSITORY và LIFEBOAT_REPOSITORY_FILE cùng được đặt";
    REPOSITORY_FILE: "LIFEBOAT_REPOSITORY_FILE `{path}`: {detail}"
        => "LIFEBOAT_REPOSITORY_FILE `{path}`: {detail}";
    EXPECTED_UTF8: "expected UTF-8" => "nội dung phải là UTF-8";
    EXPECTED_REPOSITORY: "expected a repository on the first line, found nothing"
        => "dòng đầu phải ghi kho sao lưu, nhưng không có gì";
    EXPECTED_FOLDER: "expected a folder, sftp:… or s3:… as repository in this version, \
        found {found}"
        => "ở phiên bản này kho sao lưu phải là thư mục, sftp:… hoặc s3:…, nhưng gặp {found}";
    EXPECTED_SFTP: "expected sftp:USER@HOST:/PATH or sftp://USER@HOST:PORT/PATH, \
        without a password, found {found}"
        => "cần dạng sftp:TÊN@MÁY:/ĐƯỜNG-DẪN hoặc sftp://TÊN@MÁY:CỔNG/ĐƯỜNG-DẪN, \
        không kèm mật khẩu, nhưng gặp {found}";
    EXPECTED_S3: "expected s3:https://HOST/BUCKET/PREFIX, without a key, found {found}"
        => "cần dạng s3:https://MÁY/BUCKET/TIỀN-TỐ, không kèm khóa, nhưng gặp {found}";
    NO_SFTP_USER: "no user is named for the server {host}"
        => "chưa nêu người dùng cho máy chủ {host}";
    NAME_USER: "name one: sftp:USER@HOST:/PATH" => "nêu người dùng: sftp:TÊN@MÁY:/ĐƯỜNG-DẪN";
    TWO_SECRETS: "{first} and {second} are both set: which one opens the repository?"
        => "{first} và {second} cùng được đặt: dùng cái nào để mở kho sao lưu?";
    EXPECTED_COMMAND: "{origin}: expected a command with quotes that close, and no shell"
        => "{origin}: phải là một lệnh có dấu nháy đóng đủ, không qua shell";
    EXPECTED_TIME: "{origin}: expected a time such as `90s`, `5m` or `1h30m`, found {found}"
        => "{origin}: phải là thời lượng như `90s`, `5m` hoặc `1h30m`, nhưng gặp {found}";
    EXPECTED_LEVEL: "{origin}: expected 1 to 19 or `none`, found {found}"
        => "{origin}: phải từ 1 đến 19 hoặc `none`, nhưng gặp {found}";
    EXPECTED_FPS: "{origin}: expected 0 to {max}, found {found}"
        => "{origin}: phải từ 0 đến {max}, nhưng gặp {found}";
    EXPECTED_FILTER: "{origin}: expected a filter such as `info`, found {found}"
        => "{origin}: phải là bộ lọc như `info`, nhưng gặp {found}";
    EXPECTED_LOG_FORM: "{origin}: expected `text` or `json`, found {found}"
        => "{origin}: phải là `text` hoặc `json`, nhưng gặp {found}";
    LOG_FILE: "the log cannot be added to `{path}`: {detail}"
        => "không ghi thêm được vào tệp ghi chép `{path}`: {detail}";
    NAME_LOG_FILE: "name another file in LIFEBOAT_LOG_FILE, or leave it out"
        => "nêu tệp khác ở LIFEBOAT_LOG_FILE, hoặc bỏ biến này";
    EXPECTED_HOST: "{origin}: expected a name of 1 to 255 bytes without control characters, \
        found {found}"
        => "{origin}: phải là tên dài 1 đến 255 byte, không có ký tự điều khiển, nhưng gặp {found}";
    NO_REPOSITORY_NAMED: "no repository is named" => "chưa nêu kho sao lưu nào";
    NAME_REPOSITORY: "give `-r REPOSITORY` or set LIFEBOAT_REPOSITORY"
        => "thêm `-r KHO-SAO-LƯU` hoặc đặt biến LIFEBOAT_REPOSITORY";

    PASSWORD_SEEN: "LIFEBOAT_PASSWORD can be seen by other programs of this user; \
        LIFEBOAT_PASSWORD_FILE or _COMMAND is safer"
        => "các chương trình khác của cùng tài khoản đọc được LIFEBOAT_PASSWORD; \
        nên dùng LIFEBOAT_PASSWORD_FILE hoặc _COMMAND";
    EMPTY_SECRET: "the passphrase or key is empty" => "mật khẩu hoặc khóa đang để trống";
    GIVE_SECRET: "give one that is not" => "đưa mật khẩu hoặc khóa có nội dung";
    NO_TERMINAL: "a passphrase is needed, and there is no terminal to ask at"
        => "cần mật khẩu, nhưng không có cửa sổ dòng lệnh để hỏi";
    SET_PASSWORD_FILE: "set LIFEBOAT_PASSWORD_FILE or LIFEBOAT_PASSWORD_COMMAND"
        => "đặt biến LIFEBOAT_PASSWORD_FILE hoặc LIFEBOAT_PASSWORD_COMMAND";
    TERMINAL_FAILED: "the terminal gave no passphrase: {detail}"
        => "không đọc được mật khẩu từ cửa sổ dòng lệnh: {detail}";
    ASK: "passphrase: " => "mật khẩu: ";
    ASK_NEW: "new passphrase: " => "mật khẩu mới: ";
    ASK_AGAIN: "the same again: " => "nhập lại mật khẩu: ";
    TWO_DIFFER: "the two passphrases differ" => "hai lần nhập mật khẩu khác nhau";
    RUN_AGAIN: "run the command again" => "chạy lại lệnh";
    PASSWORD_FILE: "passphrase file `{path}`: {detail}" => "tệp mật khẩu `{path}`: {detail}";
    KEY_FILE: "key file `{path}`: {detail}" => "tệp khóa `{path}`: {detail}";
    NAME_READABLE: "name a file that exists and that you may read"
        => "nêu một tệp có thật và bạn được quyền đọc";
    COMMAND_TOO_LONG: "the passphrase command `{name}` {detail}"
        => "lệnh lấy mật khẩu `{name}`: {detail}";
    COMMAND_NOT_STARTED: "the passphrase command `{name}` could not be started: {detail}"
        => "không chạy được lệnh lấy mật khẩu `{name}`: {detail}";
    COMMAND_LOST: "the passphrase command `{name}` was lost: {detail}"
        => "mất dấu lệnh lấy mật khẩu `{name}`: {detail}";
    COMMAND_FAILED: "the passphrase command `{name}` failed: {detail}"
        => "lệnh lấy mật khẩu `{name}` kết thúc không bình thường: {detail}";
    RUN_BY_HAND: "run the command by hand and see what it says"
        => "tự chạy lệnh đó và xem nó báo gì";

    NO_LOCAL_FOLDER: "no folder for local state: neither HOME nor LIFEBOAT_CACHE_DIR is set"
        => "không có thư mục cho dữ liệu cục bộ: chưa đặt HOME lẫn LIFEBOAT_CACHE_DIR";
    GIVE_CACHE_DIR: "give --cache-dir" => "thêm tùy chọn --cache-dir";
    LOCAL_STATE: "local state `{path}`: {detail}" => "dữ liệu cục bộ `{path}`: {detail}";
    OTHER_CACHE_DIR: "name another folder with --cache-dir"
        => "nêu thư mục khác bằng --cache-dir";
    REPOSITORY_UNTOUCHED: "the repository is untouched" => "kho sao lưu vẫn nguyên vẹn";

    BAD_PATH: "path `{path}`: {detail}" => "đường dẫn `{path}`: {detail}";
    PATH_AS_LISTED: "give a path as `lifeboat ls --recursive` prints it"
        => "ghi đường dẫn như `lifeboat ls --recursive` in ra";
    EXPECTED_SNAPSHOT: "expected `latest` or the first digits of a snapshot id, found `{found}`"
        => "phải là `latest` hoặc các chữ số đầu của mã bản chụp, nhưng gặp `{found}`";
    SEE_SNAPSHOTS: "see `lifeboat snapshots`" => "xem `lifeboat snapshots`";
    NO_SUCH_ID: "no snapshot has an id that starts with `{digits}`"
        => "không có bản chụp nào có mã bắt đầu bằng `{digits}`";
    SEVERAL_IDS: "{count} snapshots have ids that start with `{digits}`:\n{ids}"
        => "{count} bản chụp có mã bắt đầu bằng `{digits}`:\n{ids}";
    MORE_DIGITS: "give more digits" => "ghi thêm chữ số";
    NONE_MATCHES: "no snapshot matches" => "không có bản chụp nào phù hợp";
    SEVERAL_DATASETS: "`latest` may mean any of {count} datasets; their newest are:\n{rows}"
        => "`latest` có thể là bất kỳ tập dữ liệu nào trong {count} tập dữ liệu; \
        bản chụp mới nhất của từng tập:\n{rows}";
    NARROW: "narrow it with --host, --path or --tag, or name an id"
        => "thu hẹp bằng --host, --path hoặc --tag, hoặc ghi rõ mã";
    BAD_PATTERN: "{detail}" => "mẫu tên không dùng được: {detail}";
    CORRECT_PATTERN: "correct the pattern" => "sửa lại mẫu tên";
}
