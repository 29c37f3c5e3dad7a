//! `prune`.

texts! {
    PLANNED: "{condemned} would be given back, {packs} packs\n\
        {live} used by {snapshots} snapshots and {trashed} that can be brought back, {unused} \
        unused beside it, {waiting} condemned before; nothing was changed"
        => "sẽ giải phóng {condemned}, {packs} gói dữ liệu\n\
        {live} đang dùng cho {snapshots} bản chụp và {trashed} bản còn lấy lại được, {unused} \
        không dùng nằm xen kẽ, {waiting} đã đánh dấu xóa từ trước; chưa có gì bị thay đổi";
    PRUNED: "{removed} given back, {removed_packs} packs; {copied} copied\n\
        {live} used by {snapshots} snapshots, {unused} unused beside it"
        => "đã giải phóng {removed}, {removed_packs} gói dữ liệu; chép lại {copied}\n\
        {live} đang dùng cho {snapshots} bản chụp, {unused} không dùng nằm xen kẽ";
    PRUNED_WAITING: "{removed} given back, {removed_packs} packs; {copied} copied\n\
        {live} used by {snapshots} snapshots, {unused} unused beside it\n\
        {waiting} in {waiting_packs} packs is condemned and goes at a `prune` in a few days, or at \
        once with `--empty-trash`"
        => "đã giải phóng {removed}, {removed_packs} gói dữ liệu; chép lại {copied}\n\
        {live} đang dùng cho {snapshots} bản chụp, {unused} không dùng nằm xen kẽ\n\
        {waiting} trong {waiting_packs} gói đã bị đánh dấu, sẽ xóa ở lần `prune` sau vài ngày nữa, \
        hoặc xóa ngay với `--empty-trash`";
    PRUNED_BESIDE: "{removed} given back, {removed_packs} packs; {copied} copied\n\
        {live} used by {snapshots} snapshots, {unused} unused beside it\n\
        {waiting} in {waiting_packs} packs is condemned and goes at a later `prune`: {sessions} \
        backups are at work"
        => "đã giải phóng {removed}, {removed_packs} gói dữ liệu; chép lại {copied}\n\
        {live} đang dùng cho {snapshots} bản chụp, {unused} không dùng nằm xen kẽ\n\
        {waiting} trong {waiting_packs} gói đã bị đánh dấu, sẽ xóa ở lần `prune` sau: đang có \
        {sessions} lượt sao lưu chạy";
    SET_ASIDE_GOES: "{done}\n{bytes} that a repair has put into quarantine would go too, {count} \
        blobs"
        => "{done}\nsẽ xóa thêm {bytes} trong nơi cách ly do lần sửa chuyển vào, {count} tệp";
    SET_ASIDE_GONE: "{done}\n{bytes} that a repair had put into quarantine is gone too, {count} \
        blobs"
        => "{done}\nđã xóa thêm {bytes} trong nơi cách ly do lần sửa chuyển vào, {count} tệp";
    SET_ASIDE_STAYS: "{done}\n{bytes} stays in quarantine, {count} blobs, so that the repair can \
        be taken back"
        => "{done}\n{bytes} còn trong nơi cách ly, {count} tệp, để còn hoàn tác được lần sửa";
    SPACE: "space" => "dung lượng";
    ROOM_WANTED: "something unused stays beside what is used: there was no room to part them; make \
        room and run the command again"
        => "còn phần không dùng nằm xen với phần đang dùng vì không đủ chỗ để tách; giải phóng \
        chỗ rồi chạy lại lệnh";
    GIVE_TIME: "give a time such as `7d`" => "nêu một khoảng thời gian, ví dụ `7d`";
    IN_DOUBT: "{detail}" => "chưa xóa gì vì còn điều nghi ngờ\nchi tiết: {detail}";
    TOO_MUCH: "{detail}" => "từ chối: sẽ xóa quá nhiều trong một lần\nchi tiết: {detail}";
    ALLOW: "see `lifeboat prune --dry-run`; if that is right, allow it with `--max-delete`"
        => "xem `lifeboat prune --dry-run`; nếu đúng, cho phép bằng `--max-delete`";
    WRONG_CLOCK: "{detail}" => "từ chối: đồng hồ không đúng\nchi tiết: {detail}";
    SET_CLOCK: "set the clocks, and run the command again"
        => "chỉnh lại đồng hồ rồi chạy lại lệnh";
    OVERTAKEN: "{detail}" => "có lượt sao lưu khác chen vào liên tục\nchi tiết: {detail}";
    GIVEN_UP: "{detail}"
        => "bản chụp này đang được xóa hẳn, không lấy lại được\nchi tiết: {detail}";
    NOTHING_DELETED: "nothing was deleted" => "chưa có gì bị xóa";
}
