//! `drill from-nothing` and `drill take-in`.

texts! {
    BY_NAME: "a drill from nothing takes the storage by its address: a name comes from this \
        machine's configuration"
        => "diễn tập khởi động nguội phải nêu địa chỉ nơi lưu: tên gọi lấy từ cấu hình của máy này";
    NAME_ADDRESS: "give `-r` with a folder, `sftp:` or `s3:` address"
        => "dùng `-r` với thư mục, địa chỉ `sftp:` hoặc `s3:`";
    NOT_EMPTY: "`{path}` holds what no drill from nothing has left"
        => "`{path}` đang chứa thứ không phải do diễn tập khởi động nguội để lại";
    NAME_EMPTY: "name a new folder: everything of the drill goes there"
        => "nêu một thư mục mới: mọi thứ của cuộc diễn tập nằm ở đó";
    FOLDER: "folder `{path}`: {detail}" => "thư mục `{path}`: {detail}";
    HANDS_OVER: "the kit's own program goes on: {path}"
        => "chuyển sang chương trình trong bộ khởi động: {path}";
    NOT_STARTED: "the kit's program `{path}` cannot be started: {detail}"
        => "không chạy được chương trình `{path}` trong bộ khởi động: {detail}";
    START_IT: "copy the kit to a disk from which programs may be started"
        => "chép bộ khởi động sang ổ đĩa cho phép chạy chương trình";
    DRAWN_LATER: "what is drawn has to be drawn from the ledger, which this drill does not add to"
        => "muốn rút ngẫu nhiên thì phải rút từ nhật ký bằng chứng, mà cuộc diễn tập này không \
        ghi vào đó";
    NAME_STRATUM: "give another --stratum" => "chọn --stratum khác";
    NO_DATASET: "no dataset is called `{name}`; there are: {datasets}"
        => "không có tập dữ liệu `{name}`; hiện có: {datasets}";
    NAME_DATASET: "give one of these with --dataset" => "nêu một trong số đó bằng --dataset";
    NO_KEYS: "the shares do not open it: {detail}" => "các mảnh khóa không mở được kho: {detail}";
    NOT_REACHED: "it cannot be opened now: {detail}" => "hiện chưa mở được kho: {detail}";
    NOT_KEPT: "No ledger has this record yet. Where the office keeps its keys: \
        `lifeboat drill take-in {path} -r STORAGE`"
        => "Chưa nhật ký nào có bản ghi này. Tại nơi cơ quan giữ khóa: \
        `lifeboat drill take-in {path} -r NƠI-LƯU`";

    NO_RECORD: "`{path}` is no record of a drill: {detail}"
        => "`{path}` không phải bản ghi diễn tập: {detail}";
    NAME_RECORD: "name a `record.json` or `record.signed` that `drill from-nothing` left"
        => "nêu tệp `record.json` hoặc `record.signed` do `drill from-nothing` để lại";
    UNSIGNED: "nobody who held the office's keys has signed this record, and it says that data is \
        proven"
        => "bản ghi này nói dữ liệu đạt nhưng chưa được ai giữ khóa của cơ quan ký";
    NAME_SIGNED: "name the `record.signed` beside it" => "nêu tệp `record.signed` nằm cạnh nó";
    OTHER_KEY: "the signature of `{path}` is not by the office's key"
        => "chữ ký của `{path}` không phải bằng khóa của cơ quan";
    KEPT_BEFORE: "the ledger has this record already, as drill {code}"
        => "nhật ký bằng chứng đã có bản ghi này, là cuộc diễn tập {code}";
    NOTHING_TO_DO: "nothing has to be done" => "không cần làm gì";
    TAKEN_IN: "Drill {code}: {verdict}. Code of the ledger, to be written down elsewhere: {ledger}"
        => "Diễn tập {code}: {verdict}. Mã đối chiếu của nhật ký bằng chứng, ghi lại ở nơi khác: \
        {ledger}";
}
