//! `storage test`.

texts! {
    CHECK: "tried" => "điều được thử";
    RESULT: "result" => "kết quả";
    FOUND: "found" => "ghi nhận";
    HOLDS: "holds" => "đạt";
    BROKEN: "does not hold" => "không đạt";
    WEAK: "weak" => "yếu";
    DENIED: "denied" => "không được phép";
    UNGUARDED: "not there" => "không có";

    READ_BACK: "what is written is read back" => "đọc lại đúng những gì đã ghi";
    RANGE: "any part can be read" => "đọc được từng phần";
    NO_REPLACE: "nothing is replaced" => "không ghi đè";
    ONE_WINNER: "of several writers one wins" => "nhiều bên cùng ghi thì chỉ một bên được";
    LISTING: "the listing is complete at once" => "danh sách đầy đủ ngay lập tức";
    MISSING: "what is missing is told from an error" => "phân biệt được thiếu với lỗi";
    DURABLE: "what was taken stays" => "đã nhận thì giữ";
    DELETE: "this user may delete" => "người dùng này được xóa";
    CLOCK: "its clock goes with ours" => "đồng hồ khớp với máy này";
    SPEED: "speed" => "tốc độ";
    LOCKED: "what is new is locked" => "dữ liệu mới được khóa chống xóa";
    PRIVATE: "the way there is encrypted" => "đường truyền được mã hóa";

    AHEAD: "{seconds} s ahead" => "nhanh hơn {seconds} giây";
    BEHIND: "{seconds} s behind" => "chậm hơn {seconds} giây";
    SPEED_IS: "{up}/s there, {down}/s back, {trip} ms for a question"
        => "gửi {up}/giây, nhận {down}/giây, mỗi lượt hỏi {trip} ms";

    LACKS: "{found}: {cost}" => "{found}: {cost}";
    COSTS_ALL: "backups cannot rely on this storage"
        => "không thể tin cậy nơi lưu này để sao lưu";
    COSTS_RACE: "two machines that change the keys at the same moment may hide each other's \
        change; backups have names of their own and are not touched by it"
        => "hai máy cùng thay đổi khóa một lúc có thể che mất thay đổi của nhau; \
        các lượt sao lưu có tên riêng nên không bị ảnh hưởng";
    COSTS_NEWEST: "a power cut of the server can cost the newest backup; older ones stay"
        => "máy chủ mất điện đột ngột có thể làm mất bản sao lưu mới nhất; các bản cũ vẫn còn";
    COSTS_SPACE: "old backups cannot be removed by this user, so space is not given back"
        => "người dùng này không xóa được bản sao lưu cũ, nên không lấy lại được dung lượng";
    COSTS_CLOCK: "nothing is removed while clocks differ: set the clock of the one that is wrong"
        => "không có gì bị xóa khi đồng hồ lệch nhau: hãy chỉnh đồng hồ của máy bị sai";
    COSTS_TIME: "how long backups and restores take is not known"
        => "không biết sao lưu và khôi phục mất bao lâu";

    COSTS_LOCK: "who has keys that delete can remove the backups"
        => "ai giữ khóa truy cập có quyền xóa đều có thể xóa các bản sao lưu";
    COSTS_PRIVACY: "let the endpoint be `https://`"
        => "hãy dùng địa chỉ `https://`";

    WRITER_ONLY: "this user may not delete: right for a machine that only backs up; `forget` and \
        `prune` take another user"
        => "người dùng này không được xóa: đúng với máy chỉ sao lưu; `forget` và `prune` cần người \
        dùng khác";
    LEFT: "{count} small blobs of this test stay under `probe/`"
        => "còn {count} mẩu dữ liệu thử nằm dưới `probe/`";
    LOCKS: "locks" => "khóa chống xóa";
    RENEWED: "the locks of {count} blobs were renewed"
        => "đã gia hạn khóa chống xóa của {count} tệp";
    NO_VERSIONS: "`--from versions` reads what a bucket hides, and this storage is none"
        => "`--from versions` đọc những phiên bản bị che trong bucket, còn nơi lưu này không phải \
        bucket";
    NAME_STORAGE: "name another storage" => "hãy nêu một nơi lưu khác";
    SWEPT: "{count} small blobs of old tests of this storage were removed"
        => "đã xóa {count} mẩu dữ liệu thử cũ trên nơi lưu này";
    UNFIT: "this storage does not keep what backups rely on"
        => "nơi lưu này không bảo đảm những điều mà sao lưu dựa vào";
    NOT_USED: "nothing was kept there" => "không có gì được lưu ở đó";
    NO_JSON: "standard output carries the files here, not lines of JSON"
        => "ở lệnh này đầu ra chuẩn dùng để chuyển tệp, không phải các dòng JSON";
    LEAVE_OUT_JSON: "leave out --json" => "bỏ --json";
    NOT_SERVED: "folder `{path}` cannot be served: {detail}"
        => "không phục vụ được thư mục `{path}`: {detail}";
    MAKE_FOLDER: "make it, and let the user of this program write there"
        => "tạo thư mục đó và cho người dùng của chương trình này ghi vào";
    CHOOSE_ANOTHER: "choose another storage, or have its server mended; see doc/targets.md"
        => "chọn nơi lưu khác, hoặc sửa máy chủ của nơi lưu này; xem doc/targets.md";
}
