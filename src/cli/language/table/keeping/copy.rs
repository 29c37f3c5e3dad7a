//! `copy`, and the twin that `init` makes for it.

texts! {
    TWIN_MADE: "repository {id} has a twin in {location}, still without snapshots\n\
        It opens with the same passphrases. Fill it with `lifeboat copy`."
        => "kho sao lưu {id} có thêm một kho song sinh tại {location}, chưa có bản chụp nào\n\
        Kho này mở bằng cùng các mật khẩu. Chép dữ liệu sang bằng `lifeboat copy`.";
    PLANNED: "{copied} snapshots would be copied: {objects} objects, {bytes}\n\
        {known} are there already; nothing was changed"
        => "sẽ sao chép {copied} bản chụp: {objects} đối tượng, {bytes}\n\
        {known} bản đã có sẵn ở đó; chưa có gì bị thay đổi";
    COPIED: "{copied} snapshots copied: {objects} objects, {bytes}; {known} were there already"
        => "đã sao chép {copied} bản chụp: {objects} đối tượng, {bytes}; {known} bản đã có sẵn";
    LEFT_REMOVED: "{done}\n{count} were removed in the other repository and stay so"
        => "{done}\n{count} bản đã bị xóa ở kho kia và vẫn giữ nguyên như vậy";
    LEFT_UNFINISHED: "{done}\n{count} belong to backups that have not ended; the next copy takes \
        them"
        => "{done}\n{count} bản thuộc các lượt sao lưu chưa kết thúc; lần sao chép sau sẽ lấy";
    LEFT_DAMAGED: "{done}\n{count} are not copied: something that they need is lost"
        => "{done}\n{count} bản không được sao chép: thiếu phần dữ liệu đã mất";
    SAME_PLACE: "both repositories are `{path}`" => "hai kho sao lưu đều là `{path}`";
    NAME_SECOND: "name another one with `--to` or `--from`"
        => "nêu một kho khác bằng `--to` hoặc `--from`";
    NO_SECOND: "no repository in {path}" => "không có kho sao lưu trong {path}";
    MAKE_TWIN: "make one with `lifeboat init --twin-of {source} -r {path}`"
        => "tạo kho bằng `lifeboat init --twin-of {source} -r {path}`";
    OTHER_ROOT: "the two repositories have one id and different root keys: one of them is not \
        what it says"
        => "hai kho sao lưu có cùng mã nhưng khác khóa gốc: một trong hai không đúng như nó tự \
        nhận";
    OTHER_SECRET: "the passphrase or key does not open the other repository: {path}"
        => "mật khẩu hoặc khóa không mở được kho sao lưu kia: {path}";
    GIVE_OTHER_SECRET: "give the one that does with `--to-password-file`"
        => "nêu mật khẩu đúng bằng `--to-password-file`";
    TWO_OTHER_SECRETS: "{first} and {second} are both set: which one opens the other repository?"
        => "{first} và {second} cùng được đặt: dùng cái nào để mở kho sao lưu kia?";
    HEAL_TWINS_ONLY: "`--heal` works between twins only, and these are two repositories"
        => "`--heal` chỉ dùng giữa hai kho song sinh, còn đây là hai kho sao lưu khác nhau";
    TWIN_HAS_ALL: "the other repository is a twin, and a twin has all snapshots"
        => "kho kia là kho song sinh, mà kho song sinh thì có đủ mọi bản chụp";
    LEAVE_OUT_CHOICE: "leave the snapshots and filters out, or copy to a repository with other keys"
        => "bỏ phần chọn bản chụp, hoặc sao chép sang một kho có khóa khác";
    LEAVE_OUT_HEAL: "leave `--heal` out" => "bỏ tùy chọn `--heal`";
    HEALED: "{path}: {packs} packs read, {bad} of them bad; {objects} objects written anew, \
        {bytes}; {lost} are lost in both"
        => "{path}: đã đọc {packs} gói dữ liệu, {bad} gói hỏng; ghi mới {objects} đối tượng, \
        {bytes}; {lost} đối tượng đã mất ở cả hai kho";

    DATASET: "dataset" => "tập dữ liệu";
    COPIES: "3 copies" => "3 bản";
    MEDIA: "2 media" => "2 loại thiết bị";
    OFF_SITE: "1 off-site" => "1 nơi khác";
    OFFLINE: "1 offline or immutable" => "1 ngoại tuyến hoặc bất biến";
    ERRORS: "0 errors" => "0 lỗi";
    YES: "yes" => "có";
    NO: "no" => "không";
    UNKNOWN: "unknown" => "chưa rõ";
}
