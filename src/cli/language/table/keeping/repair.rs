//! `repair`.

texts! {
    MOVE: "{name} goes to quarantine ({bytes}): {why}"
        => "{name} được chuyển vào nơi cách ly ({bytes}): {why}";
    COPY: "{name} is written anew from {from}" => "{name} được ghi lại từ {from}";
    LEFT: "{name} stays as it is, nothing stands in for it: {why}"
        => "{name} giữ nguyên, không có gì thay thế được: {why}";
    PLANNED: "would move {moved} blobs to quarantine ({bytes}), write {copies} copies of records \
        anew, {objects} objects ({saved}) into new packs, {fetched} of them from elsewhere, and \
        an index of {indexed} packs; {left} bad ones stay; nothing was changed"
        => "sẽ chuyển {moved} tệp vào nơi cách ly ({bytes}), ghi lại {copies} bản của các bản ghi, \
        {objects} khối dữ liệu ({saved}) vào gói mới, {fetched} khối lấy từ nơi khác, và lập mục \
        lục của {indexed} gói; {left} tệp hỏng giữ nguyên; chưa có gì bị thay đổi";
    REPAIRED: "{moved} blobs moved to quarantine ({bytes}), {copies} copies of records written \
        anew, {objects} objects ({saved}) written into {packs} new packs; `lifeboat repair --undo` \
        takes it back"
        => "đã chuyển {moved} tệp vào nơi cách ly ({bytes}), ghi lại {copies} bản của các bản ghi, \
        ghi {objects} khối dữ liệu ({saved}) vào {packs} gói mới; `lifeboat repair --undo` hoàn \
        tác được việc này";
    NOTHING_TO_DO: "nothing that can be repaired" => "không có gì sửa được";
    BACK_UP_AGAIN: "back up again: what the source still has is stored anew, and the snapshots \
        that miss it are whole again"
        => "hãy sao lưu lại: phần nguồn dữ liệu còn giữ sẽ được lưu lại, và các bản chụp thiếu \
        phần đó sẽ lại đầy đủ";
    WOULD_UNDO: "would take back repair {id}: {returned} blobs come back from quarantine, \
        {removed} go; nothing was changed"
        => "sẽ hoàn tác lần sửa {id}: {returned} tệp ra khỏi nơi cách ly, {removed} tệp bị xóa; \
        chưa có gì bị thay đổi";
    UNDONE: "repair {id} taken back: {returned} blobs came back from quarantine, {removed} went"
        => "đã hoàn tác lần sửa {id}: {returned} tệp ra khỏi nơi cách ly, {removed} tệp bị xóa";
    CHANGED: "{detail}" => "dữ liệu đã thay đổi giữa chừng\nchi tiết: {detail}";
    OVERTAKEN: "{detail}" => "có lượt dọn dẹp khác chen vào\nchi tiết: {detail}";
    NOTHING_TO_UNDO: "{detail}" => "không có lần sửa nào để hoàn tác\nchi tiết: {detail}";
    BAD_JOURNAL: "{detail}" => "từ chối: không tin được bản ghi của lần sửa\nchi tiết: {detail}";
    RELIED: "{detail}"
        => "từ chối: hiện đã có dữ liệu dựa vào lần sửa này\nchi tiết: {detail}";
    QUARANTINE_LOST: "{detail}" => "phần cách ly đã hỏng\nchi tiết: {detail}";
    QUARANTINE_EMPTIED: "{detail}"
        => "từ chối: phần cách ly đã được dọn, không hoàn tác được nữa\nchi tiết: {detail}";
    NO_WAY_BACK: "nothing is to be done: what the repair wrote stands, see `lifeboat check`"
        => "không phải làm gì: những gì lần sửa đã ghi vẫn còn, xem `lifeboat check`";
    WHOLE_SO_FAR: "what was done so far is whole by itself; nothing was lost"
        => "phần đã làm tự nó vẫn đầy đủ; không mất gì";
}
