//! The configuration file and schedules.

pub mod service;
pub mod telling;

texts! {
    UNREADABLE: "the configuration file `{path}` cannot be read: {detail} ({origin})"
        => "không đọc được tệp cấu hình `{path}`: {detail} ({origin})";
    NO_UTF8: "{path}:{line}:1: expected UTF-8" => "{path}:{line}:1: nội dung phải là UTF-8";
    GENERATE: "write one with `lifeboat config generate --for office`, or name one with --config"
        => "tạo tệp bằng `lifeboat config generate --for office`, hoặc nêu tệp bằng --config";
    MISTAKES: "{mistakes}" => "cấu hình chưa đúng:\n{mistakes}";
    CORRECT: "correct the configuration file; nothing was started"
        => "sửa tệp cấu hình; chưa có gì được thực hiện";
    GOOD: "{path}: {backups} backups, {storages} storages, {jobs} jobs; no mistakes, {warnings} \
        warnings\n{table}"
        => "{path}: {backups} mục sao lưu, {storages} nơi lưu, {jobs} việc theo lịch; không có sai \
        sót, {warnings} cảnh báo\n{table}";
    JOB: "job" => "việc";
    ZONE: "zone" => "múi giờ";
    DELAY: "later by" => "lệch";
    NEXT_RUNS: "next runs" => "các lượt tới";
    START: "start" => "bắt đầu";
    KEY: "key" => "khóa";
    VALUE: "value" => "giá trị";
    ORIGIN: "from" => "lấy từ";
    LINE: "line {line}" => "dòng {line}";
    DEFAULT: "default" => "mặc định";
    ENVIRONMENT: "environment" => "biến môi trường";
    WRITTEN: "`{path}` is written: read it, correct it, then `lifeboat config validate {path}`"
        => "đã ghi `{path}`: đọc và sửa tệp, rồi chạy `lifeboat config validate {path}`";
    NOT_WRITTEN: "`{path}` cannot be written: {detail}" => "không ghi được `{path}`: {detail}";
    OTHER_FILE: "name a file that does not exist with --output"
        => "nêu bằng --output một tệp chưa có";
    NO_JOB: "the configuration has no job `{name}`; it has:\n{jobs}"
        => "cấu hình không có việc `{name}`; hiện có:\n{jobs}";
    NAME_JOB: "name one of them" => "nêu một trong các việc đó";
    NO_BACKUP: "the configuration has no `[[backup]]` named `{name}`; it has:\n{jobs}"
        => "cấu hình không có mục `[[backup]]` tên `{name}`; hiện có:\n{jobs}";
    NO_RETENTION: "backup `{name}` has no retention: every snapshot is kept"
        => "mục sao lưu `{name}` không có retention: mọi bản chụp đều được giữ";
    NAME_RETENTION: "give it one in the configuration file, or name rules such as --keep-daily 30"
        => "thêm retention vào tệp cấu hình, hoặc nêu quy tắc như --keep-daily 30";
    HOOK_FAILED: "the command `{name}` that goes before backup `{job}` failed: {detail}"
        => "lệnh `{name}` chạy trước khi sao lưu `{job}` kết thúc không bình thường: {detail}";
    HOOK_AFTER: "the command after the backup" => "lệnh chạy sau khi sao lưu";
    SECRET: "a secret of the configuration file: {detail}"
        => "mật khẩu hoặc khóa nêu trong tệp cấu hình: {detail}";
    SEE_SECRET: "see that it is there and that only you can read it"
        => "kiểm tra xem có đúng nơi đã nêu không và chỉ bạn mới đọc được";
}
