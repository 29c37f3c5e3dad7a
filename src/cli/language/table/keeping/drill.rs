//! `drill`.

texts! {
    STATE: "state of drills `{path}`: {detail}" => "trạng thái diễn tập `{path}`: {detail}";
    SEE_STATE: "see that this user may write the folder for local state"
        => "xem người dùng này có được ghi vào thư mục trạng thái hay không";
    NO_DRILL: "no drill is called `{name}`; the file has: {drills}"
        => "không có cuộc diễn tập tên `{name}`; tệp có: {drills}";
    NAME_DRILL: "name a [[drill]] of the configuration"
        => "nêu một cuộc diễn tập [[drill]] của tệp cấu hình";
    SANDBOX: "the sandbox cannot be made: {detail}"
        => "không tạo được môi trường cách ly: {detail}";
    OTHER_SANDBOX: "give another sandbox.path" => "đặt sandbox.path khác";
    A_SANDBOX: "sandbox {path}" => "môi trường cách ly {path}";
    CLEARED: "what drill {code} had left was removed"
        => "đã hủy phần sót lại của cuộc diễn tập {code}";
    NO_RECORD: "no record of a drill is called `{id}`"
        => "không có bản ghi diễn tập `{id}`";
    SEE_LIST: "see `lifeboat drill list`" => "xem `lifeboat drill list`";

    ONE_FORMAT: "--out takes one format" => "--out chỉ nhận một định dạng";
    NAME_FORMAT: "give one --format, or leave --out away" => "nêu một --format hoặc bỏ --out";
    NO_DOCUMENT: "the document cannot be made: {detail}" => "không lập được văn bản: {detail}";
    USE_JSON: "the record is there: `--format json`" => "vẫn còn bản ghi: `--format json`";
    OUT: "document `{path}`: {detail}" => "văn bản `{path}`: {detail}";
    OTHER_OUT: "give a new file in a folder that this user may write"
        => "đặt tệp mới trong thư mục mà người dùng này được ghi";
    DOCUMENT: "Document  {path}" => "Văn bản  {path}";
    A_DOCUMENT: "documents of drill {code}" => "văn bản của cuộc diễn tập {code}";
    PASS: "proven" => "ĐẠT";
    CONDITIONAL: "proven, with conditions" => "ĐẠT CÓ ĐIỀU KIỆN";
    FAIL: "NOT PROVEN" => "KHÔNG ĐẠT";
    INCONCLUSIVE: "NO CONCLUSION" => "KHÔNG KẾT LUẬN";
    CHECK_PASS: "passed" => "Đạt";
    CHECK_FAIL: "FAILED" => "Không đạt";
    CHECK_SKIP: "not carried out" => "Không thực hiện";
    CHECK_TIMEOUT: "timed out" => "Quá hạn";
    CHECK_NA: "not applicable" => "Không áp dụng";

    HEAD: "Drill {code}: {verdict}" => "Diễn tập {code}: {verdict}";
    ITEM: "\n{name}: {verdict}" => "\n{name}: {verdict}";
    SNAPSHOT: "  snapshot {id} of {taken}, from {storage}"
        => "  bản chụp {id} lúc {taken}, từ {storage}";
    RTO: "  recovery time  {found} (target {target})"
        => "  thời gian khôi phục  {found} (mục tiêu {target})";
    RPO: "  data loss      {found} (target {target})"
        => "  mức mất dữ liệu      {found} (mục tiêu {target})";
    SECONDS: "{n} s" => "{n} giây";
    MINUTES: "{n} min" => "{n} phút";
    HOURS: "{n} h {minutes} min" => "{n} giờ {minutes} phút";
    NO_TARGET: "none set" => "chưa đặt";
    NOT_REACHED: "not reached" => "chưa đạt tới";
    PROOF: "  proof level    {found} (needed {needed})"
        => "  mức chứng minh       {found} (cần {needed})";
    NONE: "none" => "không có";
    CLAIM: "  sample         {claim}" => "  theo mẫu             {claim}";
    CHECKS: "  checks         {passed} passed, {failed} failed, {skipped} not carried out"
        => "  kiểm tra             {passed} đạt, {failed} không đạt, {skipped} không thực hiện";
    BAD_CHECK: "  {result}: {id}: expected {expected}, found {found}"
        => "  {result}: {id}: mong đợi {expected}, thực tế {found}";
    WHY: "  {result}: {id}: {detail}" => "  {result}: {id}: {detail}";
    ATTACK: "  SIGNS OF AN ATTACK: do not restore from this snapshot before somebody has looked"
        => "  DẤU HIỆU TẤN CÔNG: không khôi phục từ bản chụp này khi chưa có người kiểm tra";
    CODE: "Code of the ledger, to be written down elsewhere: {code}"
        => "Mã đối chiếu của nhật ký bằng chứng, ghi lại ở nơi khác: {code}";
    RECORD: "\nThe record is in  {path}" => "\nBản ghi ở  {path}";

    GOOD: "  newest good snapshot: {id} of {taken}, pinned"
        => "  bản chụp tốt gần nhất: {id} lúc {taken}, đã ghim";
    NO_GOOD: "  no older snapshot is good ({count} drilled)"
        => "  không có bản chụp cũ hơn nào tốt (đã diễn tập {count} bản)";
    SEARCH_ENDED: "  the search for a good snapshot ended early, after {count} drills"
        => "  việc tìm bản chụp tốt dừng sớm, sau {count} cuộc diễn tập";
    KEPT: "  pinned: {ids}" => "  đã ghim: {ids}";
    FROZEN: "  nothing of it is removed until `lifeboat tag {id} --remove attack-signs`"
        => "  không loại bỏ bản chụp nào cho tới khi chạy \
        `lifeboat tag {id} --remove attack-signs`";
    ACTION: "  action {id}, due {due}: find the cause, then `lifeboat backup --job {name}` and \
        a new drill"
        => "  biện pháp {id}, hạn {due}: tìm nguyên nhân, rồi `lifeboat backup --job {name}` và \
        diễn tập lại";
    AFTER: "\nWhat follows for {name} ({codes}):" => "\nXử lý tiếp đối với {name} ({codes}):";
    CLOSED: "Action {id} is closed" => "Đã khép biện pháp {id}";
    ACTIONS: "corrective actions" => "biện pháp khắc phục";
    A_MARK: "marks of snapshot {id}" => "dấu của bản chụp {id}";
    A_SEARCH: "search for a good snapshot of {name}" => "tìm bản chụp tốt của {name}";
    NO_ACTIONS: "No corrective action is open." => "Không còn biện pháp khắc phục nào mở.";
    COLUMN_ACTION: "action" => "biện pháp";
    COLUMN_CODES: "failure" => "mã";
    COLUMN_DUE: "due" => "hạn";
    COLUMN_GOOD: "newest good" => "bản tốt gần nhất";

    WOULD: "Would restore {count} datasets ({bytes}) into {path}:"
        => "Sẽ khôi phục {count} tập dữ liệu ({bytes}) vào {path}:";
    WOULD_ITEM: "  {name}: snapshot {id} of {taken}" => "  {name}: bản chụp {id} lúc {taken}";
    WOULD_MISS: "  {name}: no snapshot in this storage"
        => "  {name}: không có bản chụp ở nơi lưu này";

    A_RECORD: "record of drill {code}" => "bản ghi của cuộc diễn tập {code}";
    COLUMN_DATASET: "dataset" => "tập dữ liệu";
    COLUMN_LAST: "last drill" => "diễn tập gần nhất";
    COLUMN_PROVEN: "proven" => "chứng minh";
    COLUMN_LEVEL: "level" => "mức";
    COLUMN_SNAPSHOT: "snapshot" => "bản chụp";
    COLUMN_CODE: "code" => "mã";
    COLUMN_STARTED: "began" => "bắt đầu";
    COLUMN_VERDICT: "verdict" => "kết luận";
    COLUMN_DATASETS: "datasets" => "tập dữ liệu";
}

/// What checks of a drill say, as rooms say it.
pub mod checks {
    texts! {
        DRAWN: "{name}: {count} of {all} files were drawn and are good: with 95 % confidence \
            fewer than {percent} of all are bad"
            => "{name}: đã rút ngẫu nhiên {count} trong {all} tệp, tất cả đều tốt: với độ tin cậy \
            95 %, chưa tới {percent} tổng số tệp bị hỏng";
        ALL_DRAWN: "{name}: all {count} files are good" => "{name}: cả {count} tệp đều tốt";
        NO_WHOLE: "a sample is no whole to compare" => "mẫu không phải toàn bộ nên không so được";
        CLOCK_SET: "the clock was set by {ms} ms while it went on"
            => "đồng hồ bị chỉnh {ms} ms trong lúc diễn tập";
        FIND_CAUSE: "find the cause, back up anew and drill that"
            => "tìm nguyên nhân, sao lưu lại và diễn tập bản mới";
        SET: "{missing} missing, {more} more, {different} different of {all}"
            => "thiếu {missing}, thừa {more}, khác {different} trong {all}";
        FLAGGED: "the backup itself could not read these to their end"
            => "chính lượt sao lưu không đọc hết được các tệp này";
        NO_OWNERS: "owners are not compared: this user cannot set them"
            => "không so chủ sở hữu: người dùng này không đặt được";
        OPENED: "{good} open, {broken} not to their end, {parts} lack parts, {wrong} begin as \
            nothing known, {named} have another format's name, {front} looked at the front only"
            => "{good} tệp mở được, {broken} không mở được hết, {parts} thiếu phần, {wrong} có \
            phần đầu không rõ là gì, {named} mang tên của định dạng khác, {front} chỉ xem phần \
            đầu";
        DRIFTED: "when it was backed up {wrong} of {looked} in a sample"
            => "lúc sao lưu: {wrong} trong mẫu {looked} tệp";
        AT_MOST: "at most {count}" => "nhiều nhất {count}";
        READ_AGAIN: "every file was read again and compared" => "đã đọc lại và so từng tệp";
        UNREAD: "{count} could not be read" => "{count} tệp không đọc được";
        OTHER_CAPSULE: "the capsule is of another kind than the dataset"
            => "gói đối chứng khác loại với tập dữ liệu";
        FULL: "the sandbox is full: {rest}" => "môi trường cách ly hết chỗ: {rest}";
        STOPPED: "it was stopped" => "bị dừng giữa chừng";
        ONE_FILE: "expected one file in the snapshot of a database"
            => "bản chụp của cơ sở dữ liệu lẽ ra có đúng một tệp";
        A_COPY: "a snapshot" => "một bản chụp";
        NONE: "none" => "không có";
        PAGES: "{count} pages" => "{count} trang";
        BYTES: "{count} bytes" => "{count} byte";
        NO_HEADER: "{bytes} bytes, no header" => "{bytes} byte, không có phần đầu";
        DATABASE: "a database" => "một cơ sở dữ liệu";
        PROBLEMS: "{count} problems" => "{count} vấn đề ghi nhận";
        NO_REFUSAL: "this storage is a folder: it cannot refuse a write"
            => "nơi lưu là thư mục nên không từ chối ghi được";
        NO_CLOCK: "no time server was asked" => "chưa hỏi máy chủ giờ nào";
        APART: "apart" => "tách rời";
        ROOT: "the sandbox would be the root of a file system"
            => "môi trường cách ly trùng gốc hệ thống tệp";
        INSIDE: "the sandbox and a source or storage lie inside each other"
            => "môi trường cách ly nằm lồng với nguồn dữ liệu hoặc nơi lưu";
        NO_SPACE: "the free space cannot be told" => "không biết được dung lượng trống";
        FREE: "free, and allowed to a drill" => "còn trống và được dùng cho diễn tập";
        BUILT_IN: "built in" => "có sẵn";
        NO_ENGINE: "no engine for {name} is driven yet" => "chưa có chương trình mở {name}";
        ENGINE: "no engine for {name} is driven" => "không có chương trình mở {name}";
        NO_PROGRAM: "no program" => "không chạy tiến trình";
        OTHER_FILES: "files of the kit that are not as listed"
            => "số tệp của bộ khởi động không đúng danh mục";
        SHARES_OPEN: "{count} shares opened the repository"
            => "{count} mảnh khóa đã mở được kho sao lưu";
        ALONE: "restored data is read by this process alone"
            => "chỉ tiến trình này đọc dữ liệu khôi phục";
        NOT_TRIED: "not tried by a drill: `storage test` tells what the storage refuses"
            => "diễn tập không thử; `storage test` cho biết nơi lưu từ chối gì";
        SILENT: "nothing answers" => "không nơi nào trả lời";
        PRODUCTION: "production" => "hệ thống chính";
        ANSWERED: "{answered} of {tried} addresses of production answer"
            => "{answered} trong {tried} địa chỉ của hệ thống chính có trả lời";
        SILENCE: "{tried} addresses of production were tried and none answered, {unknown} of them \
                  by names that nobody here knows; that the switch is unplugged the operator says"
            => "đã thử {tried} địa chỉ của hệ thống chính, không nơi nào trả lời, {unknown} địa \
                chỉ có tên mà ở đây không biết; bộ chuyển mạch đã rút dây theo lời người thực hiện";
        NO_ADDRESS: "no address of production is known that could be tried: name some in \
                     `apart_from`"
            => "chưa biết địa chỉ nào của hệ thống chính để thử: hãy nêu trong `apart_from`";
        STRANGE_NAMES: "no name of production is known here, so nothing was tried: name some \
                        by their numbers in `apart_from`"
            => "ở đây không biết tên nào của hệ thống chính nên chưa thử gì: hãy nêu địa chỉ số \
                trong `apart_from`";
        NO_TIME: "no time is given" => "không đặt thời hạn";
        ENDED: "the drill's process ended before it was over"
            => "tiến trình diễn tập kết thúc giữa chừng";
        A_FILE: "a file of {bytes} bytes or more" => "tệp từ {bytes} byte trở lên";
        IS_THERE: "it is there" => "có";
        NO_FILE: "no file" => "không phải tệp";
        NOTHING: "nothing" => "không có gì";
        NO_DATABASE: "no database was there to be asked"
            => "không có cơ sở dữ liệu nào để hỏi";
        SEVERAL: "the dataset has several databases: it is not told which one is asked"
            => "tập dữ liệu có nhiều cơ sở dữ liệu, chưa nêu hỏi cơ sở nào";
        NO_NUMBER: "the answer is no number" => "câu trả lời không phải là số";
        NOT_WHOLE: "a database cannot be read whole" => "có cơ sở dữ liệu không đọc hết được";
        NO_EXTENSION: "the extension is not installed" => "chưa cài phần mở rộng";
        NO_SERVER: "no server of PostgreSQL is installed here"
            => "máy này chưa cài máy chủ PostgreSQL";
        NO_NETWORK: "no network" => "không có mạng";
        APART_INDEED: "outside a port answered; inside it did not, one of its own did, and no \
                       storage was seen"
            => "bên ngoài có cổng trả lời; bên trong không tới được cổng ấy, tới được cổng của \
            chính nó, và không thấy kho lưu nào";
        NOT_APART: "it is not kept apart: its probe answered {rest}"
            => "môi trường không cách ly được: phép thử trả lời {rest}";
        NO_PLACE: "no program can be kept apart here: {rest}"
            => "máy này không tạo được môi trường cách ly: {rest}";
        NO_MARIADB: "no server of MariaDB is installed here"
            => "máy này chưa cài máy chủ MariaDB";
        NOT_EXAMINED: "the server's own check did not end well"
            => "phép kiểm tra của chính máy chủ không kết thúc tốt";
        IS_FULL: "the sandbox is full" => "môi trường cách ly hết chỗ";
        NOT_STARTED: "it cannot be started: {rest}" => "không khởi động được: {rest}";
        NO_ARCHIVE: "an archive of files" => "một tệp lưu trữ các tệp của máy chủ";
        NO_VERSION: "the files name no version" => "các tệp không cho biết phiên bản";
        NO_MANIFEST: "the archive has no manifest of its files"
            => "tệp lưu trữ không có danh mục các tệp";
        AS_WRITTEN: "as written" => "đúng như khi ghi";
        NO_NAMES: "the server does not name its databases"
            => "máy chủ không nêu được tên các cơ sở dữ liệu";
        NO_CANARY: "none was known at the source when this was backed up"
            => "lúc sao lưu chưa có tệp mồi nào ở nguồn";
        SAMPLED: "a sample is no whole to look for what is not there"
            => "mẫu không phải toàn bộ nên không tìm được tệp lẽ ra đã mất";
        NONE_REMOVED: "none was removed at the source yet" => "ở nguồn chưa bỏ tệp nào";
        REMOVED: "{count} were removed at the source before" => "ở nguồn đã bỏ {count} tệp";
        AS_PLACED: "as placed" => "như lúc đặt";
        CHANGED: "changed" => "bị thay đổi";
        MISSING: "missing" => "bị mất";
        A_TOKEN: "a token" => "một tệp mồi";
        AT_MOST_OLD: "at most {count} s old" => "cũ nhất {count} giây";
        OLD: "{count} s old" => "cũ {count} giây";
        POINT_OLD: "the snapshot itself is {count} s old" => "riêng bản chụp cũ {count} giây";
        NO_AGE: "neither `age_max` nor the plan says how old content may be"
            => "chưa đặt `age_max`, kế hoạch cũng chưa nêu nội dung được phép cũ bao nhiêu";
        NOTHING_INSIDE: "nothing inside tells of when it is"
            => "bên trong không có gì cho biết nội dung là của lúc nào";
        NO_TIME_PRINTED: "the program prints no time, such as 2026-11-26T08:00:00+07:00"
            => "chương trình không in ra thời điểm, chẳng hạn 2026-11-26T08:00:00+07:00";
        UNREADABLE_MAIL: "messages that no parser makes anything of, against the source"
            => "số thư không đọc được, so với nguồn";
        UNKNOWN_MAIL: "nobody knows how they were at the source"
            => "không biết ở nguồn thư ra sao";
        LOG_LEFT: "its header tells of a log of changes, and none was captured"
            => "phần đầu cho biết có nhật ký thay đổi, nhưng không sao lưu nhật ký nào";
        LAST_LINE: "its last line" => "dòng cuối";
        LAST_LINES: "its last lines" => "các dòng cuối";
        ANOTHER: "another" => "dòng khác";
        COMPLETE: "complete" => "trọn vẹn";
        CUT: "cut" => "bị cắt";
        CARRIED_OUT: "carried out" => "đã thực hiện";
        STATEMENTS: "{count} statements" => "{count} câu lệnh";
        REFUSED: "statement {count} is refused" => "câu lệnh thứ {count} bị từ chối";
        ONE_STREAM: "expected one file in the snapshot of a command's output"
            => "bản chụp kết quả của một lệnh lẽ ra có đúng một tệp";
        NOT_UNPACKED: "it begins as a file of gzip and cannot be unpacked to its end"
            => "phần đầu là tệp gzip nhưng không giải nén được hết";
        AS_TOLD: "{count} values are as they were told at the source"
            => "{count} giá trị đúng như đã ghi ở nguồn";
        OTHER_VALUES: "other values of {rest}" => "giá trị khác: {rest}";
        SHRUNK: "{files} files with {bytes} before, {count} with {rest} now"
            => "trước {files} tệp với {bytes}, nay {count} tệp với {rest}";
        LESS: "{count} % less" => "ít đi {count} %";
        AT_MOST_LESS: "at most {count} % less" => "ít đi nhiều nhất {count} %";
        ONE_DUMP: "mariadb of one dump: {rest}" => "nạp một bản kết xuất bằng mariadb: {rest}";
    }
}
