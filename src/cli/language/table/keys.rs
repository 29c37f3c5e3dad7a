//! What takes an administrator's key: `init`, `key`, `tag`.

texts! {
    MADE: "repository {id} made in {location}\n\
        Without the passphrase nobody can read it: keep it where a fire does not reach it."
        => "đã tạo kho sao lưu {id} tại {location}\n\
        Thiếu mật khẩu thì không ai đọc được kho: hãy cất mật khẩu ở nơi hỏa hoạn không lan tới.";
    TAKEN: "repository {id}" => "kho sao lưu {id}";

    OPENS_WITH: "opens with" => "mở bằng";
    MADE_AT: "made" => "tạo lúc";
    LABEL: "label" => "tên gọi";
    USED_NOW: "{label} (used now)" => "{label} (đang dùng)";
    PASSPHRASE: "passphrase" => "mật khẩu";
    KEY_FILE: "key file" => "tệp khóa";
    SLOT_ADDED: "slot {id} opens the repository from now on"
        => "từ nay khe khóa {id} mở được kho sao lưu";
    SLOT_CHANGED: "slot {id} takes the place of the one that was used"
        => "khe khóa {id} thay cho khe khóa vừa dùng";
    SLOT_REMOVED: "slot {id} no longer opens the repository; a copy of it still would"
        => "khe khóa {id} không còn mở được kho sao lưu; bản chép của nó thì vẫn mở được";
    NO_SUCH_SLOT: "no slot has an id that starts with `{digits}`"
        => "không có khe khóa nào có mã bắt đầu bằng `{digits}`";
    SEVERAL_SLOTS: "several slots have ids that start with `{digits}`"
        => "nhiều khe khóa có mã bắt đầu bằng `{digits}`";
    SEE_KEY_LIST: "see `lifeboat key list`" => "xem `lifeboat key list`";

    KEYSET_FILE: "keyset file `{path}`: {detail}" => "tệp bộ khóa `{path}`: {detail}";
    NAME_NEW_FILE: "name a new file in a folder that you may write to"
        => "nêu một tệp mới trong thư mục mà bạn được quyền ghi";
    MACHINE_ADDED: "machine {name} ({id}) may add snapshots, and can list, read and delete \
        nothing\nBring {path} to it as `{repository}/machine.keyset` in its folder for local state."
        => "máy {name} ({id}) được thêm bản chụp, không xem, đọc hay xóa được gì\n\
        Chép {path} sang máy đó thành `{repository}/machine.keyset` trong thư mục dữ liệu cục bộ.";

    PROTECTED: "these shares open the repository: it is protected against the loss of its \
        passphrases"
        => "các mảnh khóa này mở được kho sao lưu: kho đã được bảo vệ khi mất mật khẩu";
    SHARES_MADE: "{total} shares made, any {needed} of them open everything. Print them, give them \
        to {total} people, then prove the paper with `lifeboat key recovery check`."
        => "đã tạo {total} mảnh khóa, {needed} mảnh bất kỳ mở được tất cả. Hãy in ra, giao cho \
        {total} người, rồi kiểm chứng bản giấy bằng `lifeboat key recovery check`.";
    SHEETS_MADE: "{total} sheets in {folder}: open each `.html` in a browser and print it. \
        The files are as secret as the paper; remove them after printing."
        => "{total} tờ trong {folder}: mở từng tệp `.html` bằng trình duyệt rồi in. \
        Các tệp này mật như bản giấy; hãy xóa sau khi in.";
    PDF_MADE: "{total} pages in {path}: print it. The file is as secret as the paper; remove it \
        after printing."
        => "{total} trang trong {path}: hãy in ra. Tệp này mật như bản giấy; hãy xóa sau khi in.";
    PDF_FAILED: "the sheets as PDF: {detail}" => "không tạo được tệp PDF: {detail}";
    USE_FOLDER: "use `--output FOLDER`, whose pages a browser prints"
        => "dùng `--output THƯ-MỤC`, in các trang bằng trình duyệt";
    NAME_PDF: "name a new file in a folder that exists and that you may write to"
        => "nêu một tệp mới trong thư mục có thật mà bạn được quyền ghi";
    SHEET_FILE: "sheet `{path}`: {detail}" => "tờ in `{path}`: {detail}";
    NAME_SHEET_FOLDER: "name a folder that exists and that you may write to"
        => "nêu một thư mục có thật mà bạn được quyền ghi";
    SHARE_FILE: "share file `{path}`: {detail}" => "tệp mảnh khóa `{path}`: {detail}";
    NAME_SHARE_FILE: "name a file with the words of one share"
        => "nêu một tệp ghi các từ của một mảnh khóa";
    TYPE_SHARES: "type the words of each share on one line; an empty line ends"
        => "nhập các từ của mỗi mảnh khóa trên một dòng; dòng trống là kết thúc";
    BAD_SHARE: "{detail}" => "mảnh khóa nhập sai ({detail})";
    COMPARE_WORDS: "compare the words with the paper and type again"
        => "so lại các từ với bản giấy rồi nhập lại";

    NOTHING_TO_TAG: "nothing to change is named" => "chưa nêu cần thay đổi gì";
    GIVE_WORDS: "give --add, --remove, --set or --comment"
        => "thêm --add, --remove, --set hoặc --comment";
    BOTH_WAYS: "`{word}` is to be added and removed" => "`{word}` vừa được thêm vừa bị bỏ";
    GIVE_ONE_WAY: "leave it out on one side" => "bỏ nó ở một bên";
    BAD_WORD: "`{word}` is no tag: expected at most {max} bytes without control characters"
        => "`{word}` không dùng làm nhãn được: tối đa {max} byte, không có ký tự điều khiển";
    OTHER_WORD: "give another word" => "chọn nhãn khác";
    COMMENT_LONG: "the comment has more than {max} bytes" => "lời ghi dài hơn {max} byte";
    SHORTER_COMMENT: "give a shorter comment" => "ghi ngắn hơn";
    MANY_WORDS: "{count} words would change at once, {max} may"
        => "{count} nhãn thay đổi cùng lúc, chỉ được tối đa {max}";
    FEWER_WORDS: "change them in several steps" => "thay đổi làm nhiều lần";
    MANY_NOTES: "snapshot {id} has as many notes as it may have"
        => "bản chụp {id} đã đủ số ghi chú tối đa";
    KEEP_TAGS: "leave its tags as they are" => "giữ nguyên các nhãn của nó";
    NEWER_NOTE: "{place} is of a later version, so nobody knows here what it says"
        => "{place} thuộc phiên bản mới hơn nên ở đây không biết nó ghi gì";
    TAGS_NOW: "snapshot {id} has the tags {tags} now" => "bản chụp {id} nay có các nhãn {tags}";
    NO_TAGS_NOW: "snapshot {id} has no tags now" => "bản chụp {id} nay không có nhãn nào";
    TAGS_AS_WANTED: "snapshot {id} had the tags as wanted: {tags}"
        => "bản chụp {id} đã có nhãn đúng như mong muốn: {tags}";
}
