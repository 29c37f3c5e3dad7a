//! `quickstart`.

texts! {
    PATH_FAILED: "`{path}`: {detail}" => "`{path}`: {detail}";
    NAME_EXISTING: "name a folder that exists" => "nêu một thư mục có thật";
    NO_HOME: "no folder for the repository: HOME is not set"
        => "không có thư mục cho kho sao lưu: chưa đặt HOME";
    FOLDER_ONLY: "this command works with a repository in a folder, not with {place}"
        => "lệnh này chỉ làm việc với kho sao lưu trong một thư mục, không phải {place}";
    GIVE_STORAGE: "give --storage FOLDER" => "thêm --storage THƯ-MỤC";
    INSIDE: "the repository `{folder}` and `{source}` lie inside each other"
        => "kho sao lưu `{folder}` và `{source}` nằm lồng vào nhau";
    STORAGE_OUTSIDE: "give --storage FOLDER outside of what is backed up"
        => "thêm --storage THƯ-MỤC nằm ngoài dữ liệu cần sao lưu";
    OTHER_STORAGE: "name another folder with --storage" => "nêu thư mục khác bằng --storage";
    NOT_LISTED: "the new snapshot is not in the repository's list"
        => "bản chụp mới không có trong danh sách của kho sao lưu";
    RUN_CHECK: "run `lifeboat check` and see what it names"
        => "chạy `lifeboat check` và xem lệnh đó nêu gì";

    PROVEN: "Proven: what was backed up came back, compared byte for byte."
        => "ĐẠT: dữ liệu đã sao lưu được khôi phục thử và so sánh đúng từng byte.";
    NOT_PROVEN: "Not proven: see the problems above."
        => "KHÔNG ĐẠT: xem các vấn đề ghi nhận ở trên.";
    BACKUP: "  backup   {took}  {bytes} in {files} files; {stored} added to the repository"
        => "  sao lưu    {took}  {bytes} trong {files} tệp; thêm {stored} vào kho sao lưu";
    RESTORE: "  drill    {took}  {bytes} restored and checked"
        => "  diễn tập   {took}  khôi phục và kiểm tra {bytes}";
    COMPARE: "  compare  {took}  {entries} entries, {differ} differ"
        => "  so sánh    {took}  {entries} mục, {differ} mục khác nhau";
    CHANGED: "  {count} entries were changed meanwhile, so they prove nothing"
        => "  {count} mục bị thay đổi trong lúc chạy nên không chứng minh được gì";
    VERDICT: "\nDrill {code}: {verdict}, to level {level}"
        => "\nDiễn tập {code}: {verdict}, đến mức {level}";
    DOCUMENT: "Its minutes are in  {path}" => "Biên bản ở       {path}";
    DOCUMENTS: "documents of the drill" => "văn bản của cuộc diễn tập";
    LEDGER: "Code of its ledger, to be written down elsewhere: {code}"
        => "Mã đối chiếu của nhật ký bằng chứng, ghi lại ở nơi khác: {code}";
    REPOSITORY: "\nThe repository is in  {path}" => "\nKho sao lưu ở    {path}";
    PASSPHRASE: "Its passphrase is in  {path}" => "Mật khẩu kho ở   {path}";
    CONFIGURATION: "The configuration is in  {path}" => "Tệp cấu hình ở   {path}";
    NO_CONFIGURATION: "No configuration was written: {why}" => "Không ghi tệp cấu hình: {why}";
    OTHER_CONFIGURATION: "{path} is another configuration and stays as it is"
        => "{path} là cấu hình khác và được giữ nguyên";
    NO_CONFIG_HOME: "HOME is not set" => "chưa đặt HOME";
    NOT_SAYABLE: "a path that is not Unicode, or a key file, cannot stand in it"
        => "đường dẫn không phải Unicode hoặc tệp khóa không ghi vào đó được";
    BY_ITSELF: "\nOn time, until it is ended:" => "\nChạy theo lịch, đến khi tự dừng:";
    AS_SERVICE: "On time, as a service, where the Debian package is installed:"
        => "Chạy theo lịch như một dịch vụ, nơi đã cài gói Debian:";
    MISSING: "\nStill missing for safety:" => "\nĐể an toàn còn thiếu:";
    SECOND_PLACE: "  a second place: a disk or house that fails with this one takes both"
        => "  nơi lưu bản sao thứ hai: một ổ đĩa hay tòa nhà hỏng thì mất cả hai";
    ELSEWHERE: "  the passphrase elsewhere: without it nobody reads the repository"
        => "  mật khẩu cất ở nơi khác: thiếu nó thì không ai đọc được kho sao lưu";
    ON_PAPER: "  a recovery key on paper: `lifeboat key recovery --help`"
        => "  khóa khôi phục in trên giấy: `lifeboat key recovery --help`";
}
