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
    NOT_TWINS: "the two repositories are not twins: this version copies between twins only"
        => "hai kho sao lưu không phải kho song sinh: phiên bản này chỉ sao chép giữa các kho \
        song sinh";
}
