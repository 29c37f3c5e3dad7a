//! `forget`.

texts! {
    ACTION: "action" => "xử lý";
    RECEIVED: "received" => "thời điểm nhận";
    REMOVED: "removed" => "thời điểm loại bỏ";
    REASON: "reason" => "lý do";
    WHY: "why it stays" => "lý do giữ";
    KEEP: "keep" => "giữ";
    REMOVE: "remove" => "loại bỏ";
    FIRST: "{rule} (first)" => "{rule} (bản đầu)";
    LAST: "{rule} (last)" => "{rule} (bản cuối)";
    PINNED: "pinned" => "được ghim";
    PROVEN: "newest that a drill has proven" => "bản mới nhất đã được diễn tập chứng minh";
    IN_DOUBT: "its time is in doubt" => "thời điểm chưa chắc chắn";
    NEWEST: "newest of its group" => "bản mới nhất của nhóm";
    FROZEN: "too much changed at once" => "thay đổi bất thường quá nhiều";
    ATTACK: "a drill saw signs of an attack" => "diễn tập thấy dấu hiệu tấn công";
    MUCH_CHANGED: "{percent} % of its files changed or vanished at once: nothing of it is removed"
        => "{percent} % số tệp bị thay đổi hoặc biến mất cùng lúc: không loại bỏ gì của nhóm này";
    MUCH_REWRITTEN: "{percent} % of its bytes changed or vanished at once: nothing of it is removed"
        => "{percent} % dung lượng bị thay đổi hoặc biến mất cùng lúc: không loại bỏ gì của \
        nhóm này";
    MUCH_RENAMED: "{percent} % of its files got another extension at once: nothing of it is removed"
        => "{percent} % số tệp bị đổi phần mở rộng cùng lúc: không loại bỏ gì của nhóm này";
    MUCH_RANDOM: "{percent} % more files than before look random or begin otherwise than their \
        names promise: nothing of it is removed"
        => "số tệp có nội dung ngẫu nhiên hoặc không khớp với tên tăng {percent} %: không loại bỏ \
        gì của nhóm này";
    ATTACKED: "a drill saw signs of an attack in snapshot {id}: nothing of it is removed until \
        `lifeboat tag {id} --remove attack-signs`"
        => "một cuộc diễn tập thấy dấu hiệu tấn công trong bản chụp {id}: không loại bỏ gì của \
        nhóm này cho tới khi chạy `lifeboat tag {id} --remove attack-signs`";
    DONE: "{removed} snapshots removed, {kept} kept; nothing is deleted until `lifeboat prune`"
        => "đã loại bỏ {removed} bản chụp, giữ {kept}; chưa xóa gì cho tới khi chạy \
        `lifeboat prune`";
    DONE_BEFORE_PRUNE: "{removed} snapshots removed, {kept} kept"
        => "đã loại bỏ {removed} bản chụp, giữ {kept}";
    PRUNE_AFTER: "what would be given back is told by `lifeboat prune --dry-run` after that"
        => "dung lượng thu hồi được cho biết bởi `lifeboat prune --dry-run` sau đó";
    WOULD: "{removed} snapshots would be removed, {kept} kept"
        => "sẽ loại bỏ {removed} bản chụp, giữ {kept}";
    UNDONE: "snapshot {id} is back" => "đã lấy lại bản chụp {id}";
    WOULD_UNDO: "snapshot {id} would come back" => "sẽ lấy lại bản chụp {id}";

    NO_RULES: "neither a rule nor a snapshot is named" => "chưa nêu quy tắc hay bản chụp nào";
    NAME_RULES: "name what stays, such as `--keep-daily 30 --keep-monthly 24`, or snapshots to \
        remove"
        => "nêu phần cần giữ, ví dụ `--keep-daily 30 --keep-monthly 24`, hoặc bản chụp cần loại bỏ";
    BAD_RULE: "`{option}`: {detail}" => "`{option}`: {detail}";
    CORRECT_RULE: "correct the option" => "sửa lại tùy chọn";
    NO_ZONE: "`{zone}` is no time zone that is known here" => "không biết múi giờ `{zone}`";
    NAME_ZONE: "name one such as `Asia/Ho_Chi_Minh`"
        => "nêu múi giờ, ví dụ `Asia/Ho_Chi_Minh`";
    DAMAGED: "the list of snapshots is damaged in {count} places, so nothing is removed by rules"
        => "danh sách bản chụp bị hỏng ở {count} chỗ nên không loại bỏ gì theo quy tắc";
    CHECK_FIRST: "run `lifeboat check`, and heal what it names"
        => "chạy `lifeboat check` rồi khắc phục những gì được nêu";
    UNDO_BY_ID: "what is taken back is named by its id" => "phải nêu mã của bản chụp cần lấy lại";
    SEE_TRASH: "see `lifeboat snapshots --trash`" => "xem `lifeboat snapshots --trash`";
    NOT_REMOVED: "no removed snapshot has an id that begins with `{digits}`, or its space was \
        given back"
        => "không có bản chụp đã loại bỏ nào có mã bắt đầu bằng `{digits}`, hoặc đã thu hồi dung \
        lượng";
    SEVERAL_REMOVED: "{count} removed snapshots have ids that begin with `{digits}`"
        => "có {count} bản chụp đã loại bỏ có mã bắt đầu bằng `{digits}`";
}
