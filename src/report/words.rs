//! The texts of documents, both languages beside each other. Values stand at `{0}`, `{1}`.

use crate::report::Language;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    pub en: &'static str,
    pub vi: &'static str,
}

impl Words {
    #[must_use]
    pub const fn of(&self, language: Language) -> &'static str {
        match language {
            Language::Vi => self.vi,
            Language::En => self.en,
        }
    }

    /// With its values, by number; what was put in is not looked at again.
    #[must_use]
    pub fn with(&self, language: Language, values: &[&str]) -> String {
        let mut parts = self.of(language).split('{');
        let mut told = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (number, rest) = part.split_once('}').unwrap_or((part, ""));
            let value = number.parse::<usize>().ok().and_then(|number| values.get(number));
            told.push_str(value.copied().unwrap_or_default());
            told.push_str(rest);
        }
        told
    }
}

macro_rules! words {
    ($($name:ident: $en:expr => $vi:expr;)*) => {
        $(pub const $name: $crate::report::words::Words =
            $crate::report::words::Words { en: $en, vi: $vi };)*

        /// All of them, by name.
        pub const ALL: &[(&str, $crate::report::words::Words)] = &[$((stringify!($name), $name)),*];
    };
}

words! {
    NATION: "SOCIALIST REPUBLIC OF VIET NAM" => "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM";
    MOTTO: "Independence - Freedom - Happiness" => "Độc lập - Tự do - Hạnh phúc";
    NUMBER: "No.: {0}/BB-{1}" => "Số: {0}/BB-{1}";
    KIND: "MINUTES" => "BIÊN BẢN";
    SUBJECT: "Data recovery drill, {0}" => "Diễn tập khôi phục dữ liệu {0}";
    SUBJECT_REAL: "Real restore of data, {0}" => "Khôi phục dữ liệu thực tế {0}";

    STARTED: "Started at: {0}. " => "Thời gian bắt đầu: {0}. ";
    PLACE: "Place: " => "Địa điểm: ";
    ATTENDED: "Present: " => "Thành phần tham dự: ";
    ABSENT: "Absent (reason): " => "Vắng mặt (lý do): ";
    CHAIR: "Chair: " => "Chủ trì (chủ tọa): ";
    SECRETARY: "Secretary (who keeps the minutes): " => "Thư ký (người ghi biên bản): ";
    CONTENT: "Content:" => "Nội dung:";

    GROUNDS: "1. Grounds: {0}; drill plan: {1}." => "1. Căn cứ: {0}; kế hoạch diễn tập: {1}.";
    RULES: "{0} of the office" => "{0} của cơ quan";
    RULES_UNKNOWN: "the office's rules No. {0}" => "Quy chế của cơ quan số {0}";
    PURPOSE: "2. Aim: {0}; assumed situation: {1}; kind: {2}, {3}."
        => "2. Mục tiêu: {0}; tình huống giả định: {1}; loại: {2}, {3}.";
    PURPOSE_USUAL: "to prove that data comes back, and to measure time and loss"
        => "kiểm chứng việc khôi phục, đo thời gian và mức mất dữ liệu";
    ANNOUNCED: "announced" => "báo trước";
    UNANNOUNCED: "unannounced" => "không báo trước";
    SCOPE: "3. Scope: {0}/{1} datasets, {2} services; {3}; copies taken from: {4}."
        => "3. Phạm vi: {0}/{1} tập dữ liệu, {2} dịch vụ nghiệp vụ; {3}; nơi lấy bản sao: {4}.";
    OWNERS: " Data owners: {0}." => " Chủ dữ liệu: {0}.";
    UNPROTECTED: " Unprotected: {0}." => " Chưa được bảo vệ: {0}.";
    SEED: "drawn at random, seed {0}" => "chọn ngẫu nhiên, giá trị khởi tạo {0}";
    NOT_DRAWN: "named in advance, not drawn" => "được chỉ định, không chọn ngẫu nhiên";
    COURSE: "4. Course: checks before the start {0}/{1} passed; {2}; {3} (marks T0 to T9: Annex \
        II). Operator: "
        => "4. Diễn biến: kiểm tra trước {0}/{1} đạt; {2}; {3} (mốc T0–T9: Phụ lục II). Người thực \
        hiện: ";
    NO_PEOPLE: "T0 to T2 do not measure people's time"
        => "T0–T2 không đo yếu tố con người";
    FROM_SHARES: "from nothing: keys in hand {0} after T0, by {1} shares"
        => "khởi động nguội: có khóa sau T0 {0}, bằng {1} mảnh khóa";
    NO_ACCESS: "from nothing: the shares that were handed over gave no keys"
        => "khởi động nguội: các mảnh khóa đưa ra không cho được khóa";
    COURSE_DONE: "the slowest dataset was restored after {0} and proven after {1}"
        => "tập dữ liệu lâu nhất khôi phục xong sau {0}, kiểm chứng xong sau {1}";
    COURSE_PART: "restored {0}/{1} datasets, proven to the end {2}/{1}"
        => "khôi phục xong {0}/{1} tập dữ liệu, kiểm chứng xong {2}/{1}";
    COURSE_NONE: "nothing was restored" => "không khôi phục tập dữ liệu nào";
    REGULAR: "the regular one" => "chính thức";
    SUBSTITUTE: "the substitute" => "người thay thế";
    RESULTS: "5. Results: of {0} checks {1} passed, {2} failed, {3} not carried out{4}, {5} do not \
        apply; estimate for the whole office: not enough drills."
        => "5. Kết quả: {0} nội dung kiểm tra: đạt {1}, không đạt {2}, không thực hiện {3}{4}, \
        không áp dụng {5}; ước tính thời gian khôi phục toàn đơn vị: chưa đủ căn cứ.";
    NAMED_IN_ANNEX: " (Annex I)" => " (nêu tại Phụ lục I)";
    RESULTS_IN_ANNEX: "By dataset: {0} (each in Annex I)."
        => "Theo tập dữ liệu: {0} (từng tập tại Phụ lục I).";
    PRIVACY: "6. Personal data: {0}; isolation {1}; temporary volume {2}; who had access: {3}; {4}."
        => "6. Dữ liệu cá nhân: {0}; mức cách ly {1}; ổ tạm {2}; người tiếp cận: {3}; {4}.";
    PERSONAL: "present" => "có";
    NOT_PERSONAL: "none was declared" => "không khai báo";
    VOLUME_PLAIN: "not encrypted" => "không mã hóa";
    VOLUME_UNKNOWN: "not known" => "không rõ";
    DESTROYED: "environment destroyed at {0}, leftovers: {1}"
        => "môi trường đã hủy lúc {0}, phần sót lại: {1}";
    DESTROYED_LATE: "environment destroyed late, at {0}, leftovers: {1}"
        => "môi trường hủy muộn, lúc {0}, phần sót lại: {1}";
    NOT_DESTROYED: "NO RECORD that the drill environment was destroyed"
        => "CHƯA CÓ bản ghi hủy môi trường diễn tập";
    FINDINGS: "7. Findings: {0}." => "7. Tồn tại, hạn chế: {0}.";
    FINDINGS_NONE: "none of the {0} checks that were carried out failed"
        => "không nội dung nào không đạt trong {0} nội dung đã kiểm tra";
    FINDING_COUNT: "{0}: {1}/{2} datasets (Annex I)" => "{0}: {1}/{2} tập dữ liệu (Phụ lục I)";
    FINDING_ATTACK: "SIGNS OF AN ATTACK" => "CÓ DẤU HIỆU TẤN CÔNG";
    FINDING_BEFORE: "checks before the start" => "kiểm tra trước";
    FINDING_CONDITION: "proven with conditions" => "đạt có điều kiện";
    FINDING_CAPSULE: "no truth capsule to compare with" => "không có gói đối chứng";
    REDRILL: " A new drill within 7 days." => " Diễn tập lại trong 7 ngày.";
    CAUSE: " Cause: " => " Nguyên nhân: ";
    ACTIONS: "Corrective action, person, date, new drill: "
        => "Biện pháp khắc phục, người chịu trách nhiệm, thời hạn, diễn tập lại: ";
    ACTION: "{0}: {1}; person: {2}; by {3}; new drill: {4}."
        => "{0}: {1}; người chịu trách nhiệm: {2}; thời hạn: {3}; diễn tập lại: {4}.";
    WHOLE: "restore test" => "khôi phục thử";
    SEARCH_FOUND: " Newest good snapshot: {0} of {1}, pinned."
        => " Bản chụp tốt gần nhất: {0} lúc {1}, đã ghim.";
    SEARCH_NONE: " No older snapshot is good ({0} drilled)."
        => " Không có bản chụp cũ hơn nào tốt (đã diễn tập {0} bản).";
    SEARCH_ENDED: " The search for a good snapshot ended early, after {0} drills."
        => " Việc tìm bản chụp tốt dừng sớm, sau {0} cuộc diễn tập.";
    RETENTION_FROZEN: " Removal of its snapshots is frozen."
        => " Đã tạm dừng loại bỏ bản chụp của tập này.";
    YES: "yes" => "có";
    NO: "no" => "không";
    CONCLUSION: "8. The chair's conclusion: " => "8. Kết luận của chủ trì: ";
    OPINION: ". Opinion: " => ". Ý kiến: ";
    ATTACHED: "Attached: Annex I (checks, sign-off), II (marks of time), III (evidence)."
        => "Kèm theo: Phụ lục I (kiểm tra, ký xác nhận), II (mốc thời gian), III (bằng chứng).";
    ENDED: "The drill ended at {0}./." => "Cuộc diễn tập kết thúc vào {0}./.";
    SIGN_SECRETARY: "SECRETARY" => "THƯ KÝ";
    SIGN_CHAIR: "CHAIR" => "CHỦ TỌA";
    SIGNATURE: "(Signature)" => "(Chữ ký)";
    SIGNATURE_SEAL: "(Signature; stamp or digital signature, if any)"
        => "(Chữ ký; dấu, chữ ký số nếu có)";
    RECIPIENTS: "Recipients:" => "Nơi nhận:";
    RECIPIENT: "- {0};" => "- {0};";
    FILED: "- Filed: clerk's office, dossier." => "- Lưu: VT, Hồ sơ.";
    FOOTER: "{0} | {1}" => "{0} | {1}";
    FACE: "set in {0}, as wide as Times New Roman"
        => "phông chữ {0}, cùng độ rộng với Times New Roman";
    FILE_TITLE: "Minutes of drill {0}" => "Biên bản diễn tập {0}";

    ITEM: "{0} ({1})" => "{0} ({1})";
    COLUMN_SERVICE: "Service (dataset)" => "Dịch vụ (tập dữ liệu)";
    COLUMN_COPY: "Copy of" => "Bản sao ngày";
    COLUMN_RTO: "Recovery (target / achieved)" => "Khôi phục (mục tiêu / đạt)";
    COLUMN_RPO: "Data loss (target / actual)" => "Mất dữ liệu (mục tiêu / thực tế)";
    COLUMN_PROOF: "Proof level" => "Mức chứng minh";
    COLUMN_VERDICT: "Conclusion" => "Kết luận";
    NO_TARGET: "not set" => "chưa đặt";
    NOT_REACHED: "not reached" => "chưa đạt tới";
    UNKNOWN: "not known" => "không rõ";
    UNPROVEN: "unproven" => "chưa chứng minh";
    ABSENT_COPY: "no copy" => "không có bản sao";

    PASS: "PROVEN" => "ĐẠT";
    CONDITIONAL: "PROVEN, WITH CONDITIONS" => "ĐẠT CÓ ĐIỀU KIỆN";
    FAIL: "NOT PROVEN" => "KHÔNG ĐẠT";
    INCONCLUSIVE: "NO CONCLUSION" => "KHÔNG KẾT LUẬN";
    CHECK_PASS: "Passed" => "Đạt";
    CHECK_FAIL: "Failed" => "Không đạt";
    CHECK_SKIP: "Not carried out" => "Không thực hiện";
    CHECK_TIMEOUT: "Timed out" => "Quá hạn";
    CHECK_NA: "Does not apply" => "Không áp dụng";

    D0: "Check of the whole storage" => "Kiểm tra toàn vẹn kho sao lưu";
    D1: "Trial restore by sample" => "Khôi phục thử theo mẫu";
    D2: "Monthly recovery drill" => "Diễn tập khôi phục hằng tháng";
    D3: "Cold start drill (the server is dead)" => "Diễn tập khởi động nguội (\"máy chủ chết\")";
    D4: "Full-scale exercise" => "Diễn tập toàn diện";
    I0: "temporary folder, no program is started" => "thư mục tạm, không chạy tiến trình";
    I1: "programs without a network" => "tiến trình không có mạng";
    I2: "a machine of its own without a network" => "máy riêng, không nối mạng";
    I3: "a machine of its own, off-site" => "máy riêng, ngoài trụ sở";
    L0: "The storage is whole" => "Toàn vẹn kho";
    L1: "Every byte is right" => "Đúng từng byte";
    L2: "Attributes are right" => "Đúng siêu dữ liệu";
    L3: "Canary files" => "Tệp mồi";
    L4: "Files open as what they are" => "Mở được định dạng";
    L5: "The program runs on it" => "Chạy được ứng dụng";
    L6: "Equal to the truth of the source" => "Đúng với sự thật nguồn";
    L7: "A person can work with it" => "Dùng được thật";
    F1: "Data is damaged" => "Dữ liệu hỏng";
    F2: "Data is missing or wrong" => "Thiếu hoặc sai dữ liệu";
    F3: "The program does not run" => "Ứng dụng không chạy";
    F4: "Slower than the target (RTO)" => "Chậm hơn mục tiêu (RTO)";
    F5: "Data is older than the target (RPO)" => "Dữ liệu cũ hơn mục tiêu (RPO)";
    F6: "Keys, access" => "Khóa, quyền truy cập";
    F7: "Procedure, people" => "Quy trình, con người";
    F8: "The drill's environment" => "Môi trường diễn tập";
    NEWEST: "newest" => "mới nhất";
    OLDEST: "oldest" => "cũ nhất";
    MIDDLE: "middle" => "ngẫu nhiên ở giữa";
    CRITICAL: "critical" => "đặc biệt quan trọng";
    IMPORTANT: "important" => "quan trọng";
    NORMAL: "normal" => "thông thường";
    FULL: "full" => "toàn bộ";
    SAMPLE: "sample" => "theo mẫu";
    STREAMED: "read, not written" => "chỉ đọc, không ghi ra";
    OPERATOR: "operator" => "người thực hiện";
    OWNER: "data owner" => "chủ dữ liệu";
    WITNESS: "witness" => "người chứng kiến";
    CHAIR_ROLE: "chair" => "chủ trì";

    ANNEX: "Annex {0}" => "Phụ lục {0}";
    ANNEX_OF: "(To the minutes No. {0}/BB-{1} of {2}, drill {3})"
        => "(Kèm theo Biên bản số {0}/BB-{1} {2}, cuộc diễn tập {3})";
    ANNEX_DATE: "……/……/……" => "ngày …… tháng …… năm ……";
}

/// Texts of the annexes.
pub mod annex {
    words! {
        CHECKS: "CHECKS AND SIGN-OFF" => "NỘI DUNG KIỂM TRA VÀ KÝ XÁC NHẬN";
        BEFORE: "Before the start" => "Kiểm tra trước";
        OF_ITEM: "{0}: {1}" => "{0}: {1}";
        TOTALS: "In all {0} checks: passed {1}, failed {2}, not carried out {3}, timed out {4}, do \
            not apply {5}. What was not carried out proves nothing."
            => "Tổng cộng {0} nội dung kiểm tra: đạt {1}, không đạt {2}, không thực hiện {3}, quá \
            hạn {4}, không áp dụng {5}. Nội dung không thực hiện thì không chứng minh được gì.";
        NOT_DONE: "Not carried out: {0}." => "Không thực hiện: {0}.";
        FAILURES: "Codes: {0}." => "Mã lỗi: {0}.";
        CONDITIONS: "Conditions: {0}." => "Điều kiện: {0}.";
        COLUMN_CHECK: "What was checked (code)" => "Nội dung kiểm tra (mã)";
        COLUMN_LEVEL: "Level" => "Mức";
        COLUMN_MUST: "Mandatory" => "Bắt buộc";
        COLUMN_RESULT: "Result" => "Kết quả";
        COLUMN_SEEN: "Expected, found, details" => "Mong đợi, thực tế, chi tiết";
        EXPECTED: "expected {0}, found {1}" => "mong đợi {0}, thực tế {1}";
        SIGN_OFF: "Sign-off" => "Ký xác nhận";
        SIGN_OFF_NOTE: "The data owner is not the operator. A refusal is signed too, with its \
            reason."
            => "Chủ dữ liệu không được đồng thời là người thực hiện. Từ chối ký cũng phải ghi lý \
            do và ký.";
        COLUMN_ROLE: "Role" => "Vai trò";
        COLUMN_NAME: "Name, title" => "Họ tên, chức vụ";
        COLUMN_OPINION: "Opinion" => "Ý kiến";
        COLUMN_SIGNED: "Date, signature" => "Ngày, chữ ký";

        TIMES: "MARKS OF TIME AND MEASURES" => "MỐC THỜI GIAN VÀ SỐ ĐO";
        T0_AT: "T0 of the drill: {0}. Marks are seconds since the T0 of each dataset, by a clock \
            that never goes back. {1}."
            => "T0 của cuộc diễn tập: {0}. Các mốc tính bằng giây kể từ T0 của từng tập dữ liệu, \
            theo đồng hồ không chạy lùi. {1}.";
        KIT: "Recovery kit" => "Bộ khởi động";
        KIT_LISTED: "SHA-256 of its list {0}; version {1}; in the ledger since {2}, {3} days old"
            => "SHA-256 của danh mục {0}; phiên bản {1}; có trong nhật ký từ {2}, {3} ngày tuổi";
        KIT_UNLISTED: "SHA-256 of its list {0}; version {1}; not in the ledger"
            => "SHA-256 của danh mục {0}; phiên bản {1}; chưa có trong nhật ký";
        NO_KIT: "held without one" => "không dùng";
        LEGEND: "T0 loss declared; T1 copy chosen; T2 keys in hand; T3 first byte asked for; T4 \
            last byte written; T5 attributes set; T6 files visible, program answers; T7 mandatory \
            checks passed; T8 owner confirms; T9 environment destroyed."
            => "T0 tuyên bố mất dữ liệu; T1 chọn xong bản sao; T2 có khóa; T3 yêu cầu byte đầu \
            tiên; T4 ghi xong byte cuối; T5 đặt xong thuộc tính; T6 thấy tệp, ứng dụng trả lời; \
            T7 đạt mọi kiểm tra bắt buộc; T8 chủ dữ liệu xác nhận; T9 hủy môi trường.";
        COLUMN_DATASET: "Dataset" => "Tập dữ liệu";
        MARKS: "Marks T1 to T8 (seconds)" => "Các mốc T1–T8 (giây)";
        T9_AT: "T9 (environment destroyed): {0}." => "T9 (hủy môi trường): {0}.";
        PHASES: "Phases" => "Các giai đoạn";
        COLUMN_CHOICE: "Choice, keys (T0–T3)" => "Chọn bản sao, lấy khóa (T0–T3)";
        COLUMN_RESTORE: "Restore (T3–T5)" => "Khôi phục (T3–T5)";
        COLUMN_PROVE: "Verification (T5–T7)" => "Kiểm chứng (T5–T7)";
        COLUMN_TECH: "Technical RTO (T7)" => "Thời gian khôi phục kỹ thuật (T7)";
        COLUMN_BUSINESS: "Business RTO (T8)" => "Thời gian khôi phục nghiệp vụ (T8)";
        MEASURES: "Measures" => "Số đo";
        COLUMN_SIZE: "Size (read)" => "Dung lượng (đã đọc)";
        COLUMN_FILES: "Files (checked)" => "Số tệp (đã kiểm)";
        COLUMN_SPEED: "Speed" => "Tốc độ";
        COLUMN_RPO_WORST: "Worst loss" => "Mất dữ liệu xấu nhất";
        COLUMN_RPO_CONTENT: "Loss by content" => "Mất dữ liệu theo nội dung";
        COLUMN_MTD: "Longest outage allowed" => "Ngừng tối đa chấp nhận được";
        PER_SECOND: "{0}/s" => "{0}/giây";
        RATIO: "{0} ({1})" => "{0} ({1})";

        EVIDENCE: "EVIDENCE AND CHECKPOINT CODE" => "BẰNG CHỨNG VÀ MÃ ĐỐI CHIẾU";
        COLUMN_FIELD: "Field" => "Mục";
        COLUMN_VALUE: "Value" => "Nội dung";
        RECORD_ID: "Record" => "Mã bản ghi";
        SCHEMA: "Version of the record" => "Phiên bản mẫu";
        DRILL_CODE: "Drill" => "Mã cuộc diễn tập";
        CODE: "Checkpoint code of the ledger" => "Mã đối chiếu của nhật ký bằng chứng";
        HASH: "SHA-256 of the record's file" => "SHA-256 của tệp bản ghi";
        SEED: "Seed, root, list of the draw" => "Giá trị khởi tạo, mã gốc, danh sách gốc";
        WORD: "The chair's word" => "Từ của chủ trì";
        DEFERRED: "Deferred; added" => "Hoãn; bổ sung";
        HOST: "Drill machine" => "Máy diễn tập";
        TOOLS: "Versions of tools" => "Phiên bản công cụ";
        ISOLATION: "Isolation" => "Mức cách ly";
        VOLUME: "Temporary volume" => "Ổ tạm";
        LEASE: "Lease of the environment" => "Thời hạn môi trường";
        OFFSET: "Offset of the clock" => "Độ lệch giờ";
        OFFSET_MS: "{0} ms" => "{0} ms";
        UNMEASURED: "not measured" => "không đo";
        CLOSING: "Destruction of the environment" => "Hủy môi trường diễn tập";
        PROFILE: "Legal frame" => "Khung pháp lý áp dụng";
        COPIES: "Copies that were restored" => "Bản sao đã khôi phục";
        COLUMN_MACHINE: "Machine" => "Máy nguồn";
        COLUMN_SNAPSHOT: "Snapshot (age)" => "Bản chụp (nhóm tuổi)";
        COLUMN_TAKEN: "Backed up; consistency point" => "Sao lưu; thời điểm nhất quán";
        COLUMN_PLACE: "Storage, failure domain" => "Nơi lưu, vùng rủi ro";
        COLUMN_CAPSULE: "Truth capsule" => "Gói đối chứng";
        SAME_POINT: "same point" => "cùng thời điểm";
        INTERVAL: "two readings" => "hai lần đọc";
        NO_CAPSULE: "none" => "không có";
        HOW: "How to check: compute the SHA-256 of the record's file and compare it with the one \
            above:"
            => "Cách kiểm tra: tính SHA-256 của tệp bản ghi rồi so với giá trị ở trên:";
        QR: "The code holds drill, record and SHA-256 of the record's file; any telephone reads it."
            => "Ô mã vuông chứa mã cuộc diễn tập, mã bản ghi và SHA-256 của tệp bản ghi; điện \
            thoại nào cũng đọc được.";
        LIMITS: "Limits of this evidence: a drill machine in wrong hands can sign what is not \
            true, which repeating the drill and signatures of other people bring to light; clocks \
            are those of the network, order and the date on paper count; history before the first \
            printed code can be rewritten."
            => "Giới hạn của bằng chứng: máy diễn tập bị chiếm quyền có thể ký điều không đúng, \
            chỉ lộ ra khi diễn tập lại và có chữ ký của người khác; đồng hồ lấy theo mạng, căn cứ \
            là thứ tự và ngày trên giấy; phần nhật ký trước mã đối chiếu in lần đầu có thể bị ghi \
            lại.";
        CLAUSES: "Clauses that this record is evidence for"
            => "Điều khoản mà bản ghi này làm bằng chứng";
        COLUMN_CLAUSE: "Clause" => "Điều khoản";
        COLUMN_ASKS: "What it asks" => "Yêu cầu";
        COLUMN_STATUS: "Remark" => "Ghi chú";
        TO_VERIFY: "to be compared with the official text" => "cần đối chiếu văn bản gốc";
    }
}

/// What checks are called.
pub mod check {
    words! {
        PATHS: "Environment lies apart from sources and storages"
            => "Môi trường nằm tách khỏi nguồn dữ liệu và nơi lưu";
        SPACE: "Free space" => "Dung lượng trống";
        ENGINE: "Programs that open the data" => "Chương trình mở dữ liệu";
        ISOLATION: "Isolation" => "Mức cách ly";
        LEASE: "Lease of the environment" => "Thời hạn môi trường";
        APART: "Nothing of production answers" => "Hệ thống chính không trả lời";
        READONLY: "Storage refuses writing" => "Nơi lưu từ chối ghi";
        CLOCK: "Offset of the clock" => "Độ lệch đồng hồ";
        PROCESS: "The drill ran to its end" => "Cuộc diễn tập chạy đến hết";
        SNAPSHOT: "There is a copy to restore" => "Có bản sao để khôi phục";
        OBJECTS: "Stored data is there and authentic" => "Dữ liệu lưu đủ và xác thực";
        ENVIRONMENT: "Drill environment" => "Môi trường diễn tập";
        BYTES: "Each restored file read again and compared"
            => "Đọc lại và so từng tệp đã khôi phục";
        SET: "Nothing is missing, more or different" => "Không thiếu, thừa, khác";
        PROBLEMS: "Files that the backup itself could not read"
            => "Tệp mà lượt sao lưu không đọc được";
        ATTRIBUTES: "Owners, rights, times, links" => "Chủ sở hữu, quyền, thời gian, liên kết";
        CANARY: "Canary file" => "Tệp mồi";
        CANARY_ROLLING: "Age of the newest canary" => "Tuổi của tệp mồi mới nhất";
        CANARY_TOMBSTONE: "Canaries that were removed stay away"
            => "Tệp mồi đã xóa không quay lại";
        TRAILER: "The dump is complete" => "Bản kết xuất đầy đủ";
        RESTORE: "The dump is carried out" => "Nạp bản kết xuất";
        TABLES_CHECKED: "Every table is checked by the engine" => "Máy chủ kiểm tra từng bảng";
        VERIFYBACKUP: "Every file against the server's list"
            => "Từng tệp đúng với danh mục của máy chủ";
        UNPACK: "Files of the server are taken apart" => "Giải nén các tệp của máy chủ";
        NEWEST: "Newest date inside" => "Ngày mới nhất bên trong";
        LAST_MESSAGE: "The last message of a mailbox is whole" => "Thư cuối của hộp thư còn đủ";
        WAL_PAIR: "Log beside the database" => "Nhật ký đi cùng cơ sở dữ liệu";
        SHRINK: "size beside the snapshot before" => "độ lớn so với bản chụp trước";
        MESSAGES: "number of messages" => "số thư";
        TOLD: "what the office's program told" => "kết quả chương trình của cơ quan";
        OPEN: "Files open as what they are named" => "Tệp mở được đúng định dạng";
        DRIFT: "Files still begin as their names promise" => "Phần đầu tệp còn đúng với tên tệp";
        HEADER: "Head and length of the database" => "Phần đầu và độ dài cơ sở dữ liệu";
        START: "The program starts on restored data" => "Chương trình chạy trên dữ liệu khôi phục";
        INTEGRITY: "Integrity of the database" => "Tính toàn vẹn cơ sở dữ liệu";
        READ: "The whole database is read" => "Đọc hết cơ sở dữ liệu";
        CAPSULE: "Truth capsule" => "Gói đối chứng";
        OF_CAPSULE: "Truth capsule: {0}" => "Gói đối chứng: {0}";
        CUSTOM: "Check of the office, No. {0}" => "Kiểm tra riêng của cơ quan, số {0}";
        GONE: "Drill environment is gone" => "Môi trường diễn tập không còn";
        FILES: "number of files" => "số tệp";
        DIRS: "number of folders" => "số thư mục";
        LINKS: "number of links" => "số liên kết";
        OTHERS: "number of other entries" => "số mục khác";
        SIZE: "bytes in all" => "tổng số byte";
        NAMES: "names and sizes" => "tên và dung lượng";
        TABLES: "number of tables" => "số bảng";
        INDEXES: "indexes, triggers, views" => "chỉ mục, trình kích hoạt, khung nhìn";
        VERSION: "version numbers" => "số phiên bản";
        REFERENCES: "broken references" => "tham chiếu hỏng";
        ROWS: "number of rows" => "số dòng";
        DIGEST: "content of the tables" => "nội dung các bảng";
    }
}

pub mod period;
