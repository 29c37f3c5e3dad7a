//! The daemon, and what it is asked.

texts! {
    TAKEN: "another daemon has the state folder `{path}`: process {pid}"
        => "một tiến trình daemon khác đang dùng thư mục trạng thái `{path}`: tiến trình {pid}";
    ASK_IT: "see what it does with `lifeboat status`, or give this one another state_dir"
        => "xem nó đang làm gì bằng `lifeboat status`, hoặc đặt state_dir khác cho tiến trình này";
    NOT_STARTED: "the daemon cannot go on with the state folder `{path}`: {detail}"
        => "daemon không tiếp tục được với thư mục trạng thái `{path}`: {detail}";
    SEE_FOLDER: "see that the folder is there, that there is room and that this user may write"
        => "kiểm tra thư mục có tồn tại, còn chỗ trống và người dùng này có quyền ghi";
    NO_ANSWER: "no daemon answers at `{path}`: {detail}"
        => "không có daemon nào trả lời tại `{path}`: {detail}";
    START_IT: "start it with `systemctl start lifeboat`, or join the group that may ask it"
        => "khởi động bằng `systemctl start lifeboat`, hoặc vào nhóm được phép hỏi daemon";
    NOT_RUNNING: "no daemon answers: nothing runs by itself"
        => "không có daemon nào trả lời: không việc nào tự chạy";
    PAUSED: "paused: nothing starts by itself until `lifeboat resume`"
        => "đang tạm dừng: không việc nào tự chạy cho đến khi có lệnh `lifeboat resume`";
    STOPPING: "the daemon is stopping" => "daemon đang dừng";
    TABLE: "{note}\n{table}" => "{note}\n{table}";
    REFUSED: "the daemon did not do it: {detail}" => "daemon không thực hiện: {detail}";
    SEE_STATUS: "see `lifeboat status`" => "xem `lifeboat status`";
    IDLE: "`{name}` neither waits nor is at work" => "`{name}` không chờ và cũng không đang chạy";
    DONE: "done" => "đã xong";
    QUEUED: "`{name}` starts as soon as it can" => "`{name}` sẽ chạy ngay khi có thể";
    ENDED: "`{name}`: {outcome}, exit code {code}, {took}"
        => "`{name}`: {outcome}, mã kết thúc {code}, {took}";
    HEALTH: "state" => "tình trạng";
    LAST_GOOD: "last good" => "lần đạt gần nhất";
    AGE: "age" => "tuổi";
    NEXT: "next" => "lượt tới";
    REMARK: "remark" => "ghi chú";
    STARTED: "started" => "bắt đầu";
    TOOK: "took" => "thời gian";
    OUTCOME: "outcome" => "kết quả";
    OK: "in order" => "bình thường";
    LATE: "LATE" => "QUÁ HẠN";
    NEVER: "never yet" => "chưa có lượt nào";
    FAILED: "FAILED" => "KHÔNG ĐẠT";
    AT_WORK: "at work" => "đang chạy";
    WAITING: "waiting" => "đang chờ";
    OUTCOME_DONE: "done" => "đạt";
    OUTCOME_PROBLEMS: "problems" => "có vấn đề ghi nhận";
    OUTCOME_FAILED: "failed" => "không đạt";
    OUTCOME_STOPPED: "stopped" => "bị dừng";
    OUTCOME_CUT: "cut off" => "bị ngắt";
    SILENT_CHANNEL: "alarms do not arrive by channel `{name}`: {count} did not, \
        the last one {time}: {detail}"
        => "cảnh báo không tới nơi qua kênh `{name}`: {count} thư, lần cuối {time}: {detail}";
    DATASET: "dataset" => "tập dữ liệu";
    PROVEN: "proven" => "chứng minh";
    LEVEL: "level" => "mức";
    LAST_DRILL: "last drill" => "diễn tập gần nhất";
    COVERAGE: "Proven by drills: {count} of {all} datasets"
        => "Đã được diễn tập chứng minh: {count}/{all} tập dữ liệu";
    NO_DRILL: "no drill is about it" => "không có cuộc diễn tập nào cho tập này";
    REDRILL: "new drill due {due}" => "diễn tập lại trước {due}";
    ON_BATTERY: "on battery: nothing starts by itself until power is back"
        => "đang dùng pin: không việc nào tự chạy cho đến khi có điện";
    NOT_RECORDED: "NOTHING CAN BE PUT ON RECORD, jobs go on without: {detail}"
        => "KHÔNG GHI ĐƯỢC SỔ, các việc vẫn chạy: {detail}";
    LIMITS_MISSING: "limits of memory and processor are not held: {detail}"
        => "giới hạn bộ nhớ và bộ xử lý chưa có hiệu lực: {detail}";
    STORAGE_HOLDS: "storage `{name}` holds {bytes} ({time})"
        => "nơi lưu `{name}` đang chứa {bytes} ({time})";
    AND_BEFORE: "{now}; the run before: {before}" => "{now}; lượt trước: {before}";
    HOLDS: "{files} files with {bytes}" => "{files} tệp, {bytes}";
    SHRUNK: "MUCH LESS THAN USUAL: {now}, usually {usual}"
        => "ÍT HƠN HẲN THƯỜNG LỆ: {now}, thường là {usual}";
    MINUTES: "{count} min" => "{count} phút";
    HOURS: "{count} h" => "{count} giờ";
    DAYS: "{count} d" => "{count} ngày";
}
