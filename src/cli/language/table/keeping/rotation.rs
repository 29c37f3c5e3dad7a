//! `key rotate`, `key revoke`, `key renew`, and what they make of snapshots.

texts! {
    KEYRING: "keyring" => "chùm khóa";
    STORE_KEY: "store key" => "khóa lưu trữ";
    DOMAIN: "domain secret" => "khóa miền";
    RECIPIENTS: "recipients" => "danh sách người nhận";
    WHAT: "key" => "khóa";
    GENERATION: "generation" => "thế hệ";
    MACHINE: "machine" => "máy";
    STATE: "state" => "trạng thái";
    ACTIVE: "active" => "đang dùng";
    REVOKED: "revoked, suspect since {since}" => "đã thu hồi, bị nghi ngờ từ {since}";

    WHICH: "which key is rotated is not said" => "chưa nêu cần thay khóa nào";
    NAME_PART: "give `--domain`, `--storage-secret` or `--restore`"
        => "thêm `--domain`, `--storage-secret` hoặc `--restore`";
    FROM_TO: "{what}: {from} becomes {to}" => "{what}: {from} thành {to}";
    WOULD: "{told}\nnothing was written" => "{told}\nchưa ghi gì";
    REST_OF_IT: "{told}\nit was rotated already; only slot {slot} lacked it. Run again to rotate \
        once more."
        => "{told}\nkhóa đã được thay từ trước; chỉ khe khóa {slot} còn thiếu. Muốn thay \
        lần nữa thì chạy lại.";
    DOMAIN_ROTATED: "{told}\nWhat is stored stays readable. New backups take the new \
        generation and have nothing in common with the old: the next backup of each folder reads \
        and stores all of it again."
        => "{told}\nPhần đã lưu vẫn đọc được. Các lần sao lưu mới dùng thế hệ mới và không dùng \
        chung được gì với thế hệ cũ: lần sao lưu tới của mỗi thư mục sẽ đọc và lưu lại toàn bộ.";
    STORE_ROTATED: "{told}\nWhat is stored stays readable with the old generation. Packs and \
        trees that are written from now on take the new one."
        => "{told}\nPhần đã lưu vẫn đọc được bằng thế hệ cũ. Các gói và cây thư mục ghi từ nay \
        dùng thế hệ mới.";
    RESTORE_ROTATED: "{told}\nBackups seal to the new restore key from now on; {removed} slots of \
        the old one are gone. Whoever has the old key can still read every snapshot made before: \
        what was read stays read."
        => "{told}\nTừ nay bản sao lưu niêm phong cho khóa khôi phục dữ liệu mới; đã bỏ {removed} \
        khe khóa của khóa cũ. Người giữ khóa cũ vẫn đọc được mọi bản chụp có trước đó: cái đã bị \
        đọc thì không lấy lại được.";
    RENEW_OTHERS: "next: on every other machine bring a renewed keyset: `lifeboat key renew FILE \
        --output FILE`"
        => "tiếp theo: ở mỗi máy khác, thay bộ khóa đã làm mới: `lifeboat key renew TỆP --output \
        TỆP`";
    ADD_OTHERS: "next: add the other passphrases and key files again: `lifeboat key add`"
        => "tiếp theo: thêm lại các mật khẩu và tệp khóa khác: `lifeboat key add`";
    LOCAL_RENEWED: "this machine's keyset was renewed" => "đã làm mới bộ khóa của máy này";
    LOCAL_NOT_RENEWED: "this machine's keyset is not renewed: {detail}"
        => "chưa làm mới được bộ khóa của máy này: {detail}";
    RENEWED: "the keyset in {path} has the newest keys of the repository; bring it to its machine \
        in place of the old one"
        => "bộ khóa trong {path} có các khóa mới nhất của kho sao lưu; hãy chép sang máy của nó \
        thay cho bộ cũ";
    DOMAIN_OLD: "the domain secret was rotated (generation {newest}, here {own}); this machine \
        stores under the old one until its keyset is renewed"
        => "khóa miền đã được thay (thế hệ {newest}, ở đây {own}); máy này vẫn lưu bằng khóa \
        cũ cho tới khi làm mới bộ khóa";

    NO_MACHINE: "no machine has a name or id `{name}`"
        => "không có máy nào có tên hoặc mã `{name}`";
    SEVERAL_MACHINES: "several machines are called `{name}`"
        => "nhiều máy cùng mang tên `{name}`";
    GIVE_ID: "give the first digits of its id: see `lifeboat key list`"
        => "nêu các chữ số đầu của mã máy: xem `lifeboat key list`";
    BAD_TIME: "`{text}` is no time" => "`{text}` không phải là thời điểm";
    GIVE_TIME: "give a time such as `2026-11-20` or `2026-11-20T08:30:00+07:00`"
        => "nêu thời điểm như `2026-11-20` hoặc `2026-11-20T08:30:00+07:00`";
    WOULD_REVOKE: "machine {name} ({id}) would be revoked, {suspect} of its snapshots would be \
        suspect"
        => "sẽ thu hồi máy {name} ({id}), {suspect} bản chụp của máy này sẽ bị nghi ngờ";
    MACHINE_REVOKED: "machine {name} ({id}) is revoked; {suspect} of its snapshots are suspect, \
        and so are all that come. They are listed, and no rule removes or counts them.\n\
        Whoever can write to the storage itself can still put snapshots there under its name."
        => "đã thu hồi máy {name} ({id}); {suspect} bản chụp của máy này bị nghi ngờ, mọi bản chụp \
        về sau cũng vậy. Chúng vẫn được liệt kê, nhưng không quy tắc nào loại bỏ hay tính tới \
        chúng.\nNgười ghi được thẳng vào nơi lưu vẫn có thể đặt bản chụp mang tên máy này.";
    WOULD_TRUST: "machine {name} ({id}) would be trusted again"
        => "máy {name} ({id}) sẽ được tin cậy trở lại";
    MACHINE_TRUSTED: "machine {name} ({id}) is trusted again, and so is all that it made"
        => "máy {name} ({id}) được tin cậy trở lại, cùng mọi bản chụp của nó";
    ALREADY_REVOKED: "machine {name} ({id}) is revoked already, since {since}"
        => "máy {name} ({id}) đã bị thu hồi từ trước, từ {since}";
    NOT_REVOKED: "machine {name} ({id}) is not revoked" => "máy {name} ({id}) không bị thu hồi";
    ROTATE_NEXT: "next: `lifeboat key rotate --domain`, so that its domain secret serves nobody; \
        `--storage-secret` too if the thief can read the storage"
        => "tiếp theo: `lifeboat key rotate --domain` để khóa miền của máy này không còn giá trị; \
        thêm `--storage-secret` nếu kẻ lấy khóa đọc được nơi lưu";
    SUSPECT: "snapshot {id} is suspect since {since}: its machine was revoked, and whoever took \
        its keys may have made it"
        => "bản chụp {id} bị nghi ngờ từ {since}: máy của nó đã bị thu hồi, người lấy khóa của máy \
        có thể đã tạo ra bản này";
    LAST_TRUSTED: "the last snapshot of it that is not suspect is {id}"
        => "bản chụp gần nhất không bị nghi ngờ của tập này là {id}";
    SUSPECTS: "{told}\nsuspect, for their machines were revoked: {count} snapshots"
        => "{told}\nbị nghi ngờ vì máy đã bị thu hồi: {count} bản chụp";
    SUSPECT_MARK: "suspect since {since}" => "bị nghi ngờ từ {since}";
    SUSPECT_STAYS: "suspect: removed by id only" => "bị nghi ngờ: chỉ loại bỏ khi nêu mã";
    TRUST: "trust" => "tin cậy";
}
