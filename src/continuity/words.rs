//! What rules say, both languages beside each other.

use crate::continuity::said::Words;

macro_rules! words {
    ($($name:ident: $en:expr => $vi:expr;)*) => {
        $(pub const $name: Words = Words { en: $en, vi: $vi };)*

        /// All of them, by name.
        pub const ALL: &[(&str, Words)] = &[$((stringify!($name), $name)),*];
    };
}

words! {
    ALL_WELL: "{0} of {0}" => "đạt {0}/{0}";
    NO_DATASETS: "the plan has no datasets" => "kế hoạch chưa có tập dữ liệu";
    NO_PLACES: "the plan describes no storage" => "kế hoạch chưa mô tả nơi lưu nào";

    UNASSIGNED: "{0}: in no service and not excepted, known for {1}"
        => "{0}: chưa thuộc dịch vụ nào, chưa có ngoại lệ, đã biết {1}";
    UNASSIGNED_UNKNOWN: "{0}: in no service and not excepted, and no run of it is known"
        => "{0}: chưa thuộc dịch vụ nào, chưa có ngoại lệ, chưa có lượt chạy nào";
    NOT_APPROVED: "exception {0}: nobody has approved it" => "ngoại lệ {0}: chưa ai chấp thuận";
    REVIEW_DUE: "exception {0}: to be reviewed by {1}" => "ngoại lệ {0}: phải rà soát trước {1}";
    REVIEW_LATE: "exception {0}: its review was due on {1}"
        => "ngoại lệ {0}: quá hạn rà soát từ {1}";
    NOT_CONFIGURED: "{0}: in the plan, but no backup makes it"
        => "{0}: có trong kế hoạch nhưng chưa được sao lưu";

    NO_SNAPSHOT: "{0}: no snapshot is known" => "{0}: chưa thấy bản chụp nào";
    OLD: "{0}: newest snapshot is {1} old, {2} allowed"
        => "{0}: bản chụp mới nhất đã {1}, mức cho phép {2}";
    AHEAD: "{0}: a snapshot is of {1}, which is yet to come: it does not count"
        => "{0}: có bản chụp đề ngày {1} ở tương lai: không được tính";
    UNSEEN: "{0}: it is enough only with what nobody saw now, in: {1}"
        => "{0}: chỉ đạt nếu tính cả phần lần này chưa nhìn thấy, tại: {1}";
    NOT_WHOLE: "{0}: newest snapshots have problems: something was not read"
        => "{0}: các bản chụp mới nhất có vấn đề ghi nhận: có phần chưa đọc được";

    COPIES: "{0}: {1}" => "{0}: {1}";
    COPIES_FEW: "{0} copies with the original, 3 expected"
        => "{0} bản kể cả bản gốc, cần 3";
    MEDIA_FEW: "one kind of medium, 2 expected" => "một loại phương tiện, cần 2";
    DOMAINS_FEW: "no copy in another failure domain" => "chưa có bản ở vùng rủi ro khác";
    NONE_HELD: "no copy is offline or append-only" => "chưa có bản ngoại tuyến hoặc chỉ ghi thêm";

    NO_OFFSITE: "{0}: no copy in another failure domain" => "{0}: chưa có bản ở vùng rủi ro khác";
    OFFSITE_LAG: "{0}: the copy elsewhere is {1} behind, {2} allowed"
        => "{0}: bản sao ngoài trụ sở chậm {1}, mức cho phép {2}";

    NEVER_PROVEN: "{0}: never proven by a drill" => "{0}: chưa từng được diễn tập chứng minh";
    PROOF_OLD: "{0}: proven {1} ago, every {2} expected"
        => "{0}: chứng minh gần nhất cách đây {1}, chu kỳ {2}";
    LEVEL_LOW: "{0}: last drill reached {1}, {2} expected"
        => "{0}: cuộc diễn tập gần nhất đạt mức {1}, yêu cầu {2}";
    LEVEL_NONE: "{0}: last drill proved no level, {1} expected"
        => "{0}: cuộc diễn tập gần nhất chưa đạt mức nào, yêu cầu {1}";

    TARGET_OPEN: "{0}: not drilled from in this quarter yet, last on {1}"
        => "{0}: quý này chưa diễn tập từ nơi này, gần nhất {1}";
    TARGET_MISSED: "{0}: not drilled from in the last quarter"
        => "{0}: quý trước không diễn tập từ nơi này";
    TARGET_NEVER: "{0}: never drilled from" => "{0}: chưa từng diễn tập từ nơi này";

    OLDEST_AT: "the oldest kept snapshot was last drilled on {0}"
        => "bản chụp cũ nhất được diễn tập gần nhất ngày {0}";
    OLDEST_NEVER: "no oldest kept snapshot was ever proven by a drill"
        => "chưa từng diễn tập chứng minh bản chụp cũ nhất";

    SUBSTITUTE_AT: "a drill led by the substitute on {0}"
        => "người thay thế đã thực hiện cuộc diễn tập ngày {0}";
    SUBSTITUTE_OPEN: "not in this quarter yet, last on {0}"
        => "quý này chưa có, gần nhất ngày {0}";
    SUBSTITUTE_MISSED: "no drill led by the substitute in the last quarter"
        => "quý trước người thay thế chưa thực hiện cuộc diễn tập nào";

    NOTHING_AT: "from nothing on {0}, with the kit that was current"
        => "đã khởi động nguội ngày {0} bằng bộ khởi động hiện hành";
    NOTHING_OLD: "from nothing on {0}, but with an older kit or with none"
        => "đã khởi động nguội ngày {0}, nhưng bằng bộ khởi động cũ hoặc không có bộ nào";
    NOTHING_OPEN: "not in this quarter yet, last on {0}"
        => "quý này chưa có, gần nhất ngày {0}";
    NOTHING_MISSED: "no drill from nothing has brought anything back in the last quarter: \
        `lifeboat drill from-nothing`"
        => "quý trước chưa có cuộc diễn tập khởi động nguội nào đạt: \
        `lifeboat drill from-nothing`";

    FULL_AT: "full-scale exercise held on {0}" => "đã diễn tập toàn diện ngày {0}";
    FULL_OPEN: "not held yet, due by {0}" => "chưa tổ chức, hạn {0}";
    FULL_MISSED: "not held, was due by {0}" => "không tổ chức, đã quá hạn {0}";

    NO_TIME: "{0}: no drill has measured how long all of this takes: {1}"
        => "{0}: chưa có cuộc diễn tập nào đo thời gian khôi phục toàn bộ: {1}";
    SLOW: "{0}: recovery takes {1} (median of {2}), target {3}"
        => "{0}: khôi phục mất {1} (trung vị của {2} cuộc), mục tiêu {3}";
    SLOW_MTD: "{0}: recovery takes {1} (median of {2}), longer than can be borne: {3}"
        => "{0}: khôi phục mất {1} (trung vị của {2} cuộc), quá mức ngừng tối đa {3}";

    NO_CANARIES: "no dataset has canaries that a drill has looked for"
        => "chưa tập dữ liệu nào có tệp mồi được cuộc diễn tập tìm";
    CANARY_BAD: "{0}: its canaries were missing, too old or changed in the drill of {1}"
        => "{0}: tệp mồi bị thiếu, quá cũ hoặc bị thay đổi trong cuộc diễn tập ngày {1}";
    NO_KIT: "no kit whose list stands in the ledger: `lifeboat continuity kit --sign`"
        => "nhật ký bằng chứng chưa có bộ khôi phục nào: `lifeboat continuity kit --sign`";
    KIT_AT: "newest kit of {0}" => "bộ khôi phục mới nhất ngày {0}";
    KIT_OTHER: "newest kit of {0}, with another version of the program"
        => "bộ khôi phục mới nhất ngày {0}, chương trình trong bộ khác phiên bản đang chạy";
    FLEET: "estimate for the whole office, from {2} drills: {0} (P50), {1} (P90); goal {3}"
        => "ước tính toàn đơn vị, căn cứ {2} cuộc: {0} (P50), {1} (P90); mục tiêu {3}";
    FLEET_UNMEASURED: "no estimate for the whole office: no drill has measured {0}"
        => "chưa ước tính được toàn đơn vị: chưa cuộc diễn tập nào đo {0}";
    FLEET_FEW: "{0} of 3 drills that an estimate needs"
        => "chưa đủ căn cứ: mới có {0}/3 cuộc diễn tập";

    NO_TRUTH: "{0}: last drill compared it with no truth capsule"
        => "{0}: cuộc diễn tập gần nhất chưa so với gói đối chứng";
    TRUTH_APART: "{0}: readings of the source lay apart" => "{0}: hai lần đọc nguồn lệch nhau";
    NEVER_DRILLED: "{0}: never drilled" => "{0}: chưa từng diễn tập";

    NO_LEDGER: "there is no evidence ledger yet" => "chưa có nhật ký bằng chứng";
    LEDGER_UNREAD: "the evidence ledger was not read: {0}"
        => "chưa đọc được nhật ký bằng chứng: {0}";
    LEDGER_BROKEN: "the evidence ledger does not verify: {0}"
        => "nhật ký bằng chứng không hợp lệ: {0}";
    NOTHING_WAITS: "no drill waits for signatures" => "không cuộc diễn tập nào chờ ký xác nhận";
    WAITS: "{0}: waits for signatures since {1}" => "{0}: chờ ký xác nhận từ {1}";
    REFUSED: "{0}: somebody refused to sign" => "{0}: có người từ chối ký";
    NO_ACTIONS: "no corrective action is open" => "không có biện pháp khắc phục nào còn mở";
    ACTION_OPEN: "{0} ({1}): open, due on {2}" => "{0} ({1}): còn mở, hạn {2}";
    ACTION_LATE: "{0} ({1}): open, was due on {2}" => "{0} ({1}): còn mở, quá hạn từ {2}";
    ACTION_UNKNOWN: "{0} ({1}): open, nobody knows until when"
        => "{0} ({1}): còn mở, không rõ hạn";
    PINNED_NONE: "{0}: no proven copy is kept from retention"
        => "{0}: chưa giữ lại bản đã chứng minh nào";
    PINNED_ONE: "{0}: a proven copy is kept in one failure domain only"
        => "{0}: bản đã chứng minh mới giữ ở một vùng rủi ro";
    NO_CRITICAL: "the plan has no critical datasets"
        => "kế hoạch chưa có tập dữ liệu đặc biệt quan trọng";
    OFFSET: "the clock was {0} ms off on {1}" => "đồng hồ lệch {0} ms ngày {1}";
    FITS: "valid, and fits the code printed on {0}" => "hợp lệ, khớp mã đối chiếu đã in ngày {0}";
    NO_WITNESS: "valid, but no code of it was printed yet"
        => "hợp lệ, nhưng chưa in mã đối chiếu nào";
    MISFIT: "it does not fit code {0}, printed for {1}"
        => "không khớp mã đối chiếu {0} đã in cho {1}";

    SEALS_NEVER: "nobody has looked at the sealed shares: `lifeboat continuity seals`"
        => "chưa kiểm tra phong bì mảnh khóa lần nào: `lifeboat continuity seals`";
    SEALS_BROKEN: "seals broken at {0} on {1}: rotate the recovery key"
        => "niêm phong bị rách ở {0} ngày {1}: phải thay khóa khôi phục";
    SEALS_AT: "looked at on {0}: {1} holders there with whole seals, {2} shares open"
        => "kiểm tra ngày {0}: {1} người giữ có mặt, niêm phong nguyên vẹn; cần {2} mảnh để mở";
    ALARM_NEVER: "the alarm was never tested: `[alarm_test]` of the configuration"
        => "chưa thử còi báo động lần nào: `[alarm_test]` trong cấu hình";
    ALARM_MISSED: "on {0} these were not told within half an hour: {1}"
        => "ngày {0}, sau nửa giờ vẫn chưa nhận được cảnh báo: {1}";
    ALARM_AT: "heard by everybody on {0}" => "mọi kênh đều nhận được, ngày {0}";
    REPORT_NONE: "no report is asked for" => "không có báo cáo nào phải gửi";
    REPORT_DUE: "the report of {0} is due by {1}" => "báo cáo kỳ {0} phải gửi trước hết ngày {1}";
    REPORT_LATE: "the report of {0} was due by {1}, and was not delivered"
        => "báo cáo kỳ {0} hạn {1}, chưa gửi";
    TRANSITION: "the transition of the law ends on {0}, and the plan does not say that it is met"
        => "thời hạn chuyển tiếp của luật đến {0}, kế hoạch chưa ghi là đã đáp ứng";

    CONTACT_AT: "{0}: verified on {1}" => "{0}: xác minh ngày {1}";
    CONTACT_NEVER: "{0}: never verified" => "{0}: chưa xác minh";
    NO_INCIDENT: "there is no contact for incidents" => "chưa có đầu mối khi có sự cố";

    PLAN_AT: "signed on {0}" => "đã ký ngày {0}";
    PLAN_UNSIGNED: "the plan was never signed" => "kế hoạch chưa được ký";
    PLAN_CHANGED: "the plan has changed since it was signed on {0}"
        => "kế hoạch đã thay đổi sau khi ký ngày {0}";
}

/// What rules are called.
pub mod title {
    use crate::continuity::said::Words;

    words! {
        R01: "No machine and no data forgotten" => "Không bỏ sót máy và dữ liệu";
        R02: "Copies are fresh" => "Bản sao đủ mới";
        R03: "Enough copies in enough places (3-2-1-1)" => "Đủ bản, đủ nơi (3-2-1-1)";
        R04: "The copy elsewhere follows in time" => "Bản ngoài trụ sở kịp thời";
        R05: "Proof age" => "Tuổi bằng chứng";
        R06: "Proof level" => "Mức chứng minh";
        R07: "Every storage is drilled" => "Nơi lưu nào cũng được diễn tập";
        R08: "The oldest copy still comes back" => "Bản cũ nhất còn khôi phục được";
        R09: "The substitute can do it" => "Người thay thế làm được";
        R10: "Start from nothing" => "Khởi động nguội";
        R11: "Full-scale exercise of the year" => "Diễn tập toàn diện trong năm";
        R12: "Recovery time is met" => "Thời gian khôi phục đạt mục tiêu";
        R13: "The whole office within its goal" => "Toàn đơn vị trong 24 giờ";
        R14: "There are truth capsules" => "Có gói đối chứng";
        R15: "Corrective actions" => "Biện pháp khắc phục";
        R16: "Signed in time" => "Ký xác nhận đúng hạn";
        R17: "Envelopes of keys and their holders" => "Phong bì khóa và người giữ";
        R18: "The recovery kit is current" => "Bộ khởi động còn mới";
        R19: "Deleting takes two and waits" => "Xóa phải hai người, có chờ";
        R20: "The clock is right" => "Đồng hồ đúng";
        R21: "The ledger is unaltered" => "Nhật ký không bị sửa";
        R22: "Canary files are alive" => "Tệp mồi còn sống";
        R23: "Contacts are verified" => "Danh bạ được xác minh";
        R24: "The plan is reviewed" => "Kế hoạch được rà soát";
        R25: "Proven copies are kept" => "Giữ bản đã chứng minh";
        R26: "The alarm is tested" => "Còi báo động được thử";
        R27: "Reports in time" => "Báo cáo đúng hạn";
    }
}

/// What a programme of drills says.
pub mod programme {
    use crate::continuity::said::Words;

    words! {
        NEVER: "never proven by a drill" => "chưa từng được diễn tập chứng minh";
        DEFERRED: "put off before, so it comes first" => "đã hoãn kỳ trước, nay làm trước";
        COVERAGE: "its coverage ends on {0}" => "chu kỳ diễn tập kết thúc ngày {0}";
        STORAGE: "storage {0}: a formal drill from it in this quarter"
            => "nơi lưu {0}: một cuộc diễn tập từ nơi này trong quý";
        OLDEST: "the oldest kept copy: a drill of it in this quarter"
            => "bản cũ nhất còn giữ: một cuộc diễn tập trong quý";
        SUBSTITUTE: "the substitute: leads a drill in this quarter"
            => "người thay thế: thực hiện một cuộc diễn tập trong quý";
    }
}
