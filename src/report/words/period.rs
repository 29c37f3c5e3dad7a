//! Texts of monthly and yearly reports.

words! {
    KIND: "REPORT" => "BÁO CÁO";
    SUBJECT: "Backups and data recovery drills, {0}"
        => "Kết quả sao lưu và diễn tập khôi phục dữ liệu {0}";
    YEAR: "year {0}" => "năm {0}";
    NUMBER: "No.: {0}/BC-{1}" => "Số: {0}/BC-{1}";
    DATED: "{0}, ……/……/……" => "{0}, ngày …… tháng …… năm ……";
    ADDRESS: "To: {0}" => "Kính gửi: {0}";
    OPENING: "Under {0}, {1} reports on backups and data recovery drills of {2} ({3} to {4}), as \
        things stood on {5}:"
        => "Thực hiện {0}, {1} báo cáo kết quả sao lưu và diễn tập khôi phục dữ liệu {2} (từ {3} \
        đến {4}), số liệu tính đến {5}, như sau:";
    NOT_OVER: " The period has not ended." => " Kỳ báo cáo chưa kết thúc.";
    SCOPE_HEAD: "I. Scope. " => "I. Phạm vi. ";
    SCOPE: "{0} services with {1} datasets; a whole copy of {2}/{1} was seen."
        => "{0} dịch vụ nghiệp vụ với {1} tập dữ liệu; đã thấy bản sao toàn vẹn của {2}/{1} tập.";
    WITHOUT: " Without a copy: {0}." => " Chưa có bản sao: {0}.";
    UNPROTECTED: " Not protected here, on purpose: {0}." => " Không bảo vệ tại đây: {0}.";
    UNPROTECTED_ONE: "{0} (reason: {1}; approved by {2} on {3})"
        => "{0} (lý do: {1}; người duyệt: {2}; ngày duyệt: {3})";
    UNREAD: " Storages that could not be looked at: {0}."
        => " Nơi lưu chưa đọc được khi lập báo cáo: {0}.";
    BACKUP_HEAD: "II. Backups. " => "II. Sao lưu. ";
    BACKUPS: "{0} runs: {1} good, {2} with problems, {3} failed, {4} broken off; {5} runs of the \
        schedule did not take place. Longest time without a good run: {6} ({7})."
        => "{0} lượt chạy: đạt {1}, có lỗi {2}, không thành công {3}, bị ngắt {4}; {5} lượt theo \
        lịch không chạy. Khoảng trống dài nhất không có lượt đạt: {6} ({7}).";
    NO_RUNS: "No run is on record." => "Không có lượt sao lưu nào được ghi nhận.";
    RULE: " {0}: {1}{2}." => " {0}: {1}{2}.";
    DRILL_HEAD: "III. Drills. " => "III. Diễn tập. ";
    DRILLS: "{0} held: {1} proven, {2} with conditions, {3} not proven, {4} without a conclusion; \
        {5} unannounced, {6} led by the substitute."
        => "Đã tổ chức {0} cuộc: đạt {1}, đạt có điều kiện {2}, không đạt {3}, không kết luận \
        {4}; không báo trước {5}, do người thay thế thực hiện {6}.";
    NO_DRILLS: "None was held." => "Không tổ chức cuộc diễn tập nào.";
    LEADER_UNKNOWN: " Of {0} nobody recorded who led them."
        => " {0} cuộc không ghi người thực hiện.";
    COVERED: " Proven as lately as the plan wants it: {0}/{1} datasets."
        => " Bằng chứng còn hạn theo kế hoạch: {0}/{1} tập dữ liệu.";
    NEVER: " Never proven: {0}." => " Chưa từng được chứng minh: {0}.";
    FLEET: " Estimate for the whole office: {0} (P50), {1} (P90), from {2} drills; time of \
        machines only."
        => " Ước tính toàn đơn vị: {0} (P50), {1} (P90), căn cứ {2} cuộc; chỉ tính thời gian \
        máy.";
    TARGETS: " Last drills within their targets: recovery {0}/{2}, data loss {1}/{2} datasets \
        (Annex II)."
        => " Lần gần nhất đạt mục tiêu: thời gian khôi phục {0}/{2}, mức mất dữ liệu {1}/{2} tập \
        (Phụ lục II).";
    RESTORE_HEAD: "IV. Real restores. " => "IV. Khôi phục thực tế. ";
    RESTORES: "{0} on record: {1}." => "Ghi nhận {0} lượt: {1}.";
    NO_RESTORES: "None is on record; to be added by hand: "
        => "Hệ thống không ghi nhận; bổ sung (nếu có): ";
    ACTION_HEAD: "V. Findings, corrective actions. " => "V. Tồn tại, khắc phục. ";
    ACTIONS: "{0} opened, {1} closed; open now: {2}; overdue: {3}."
        => "Mở {0}, đóng {1}; đang mở: {2}; quá hạn: {3}.";
    NONE: "none" => "không";
    REQUIREMENT_HEAD: "VI. Requirements. " => "VI. Đối chiếu yêu cầu. ";
    REQUIREMENTS: "Of {0} clauses that the rules answer, {1} are met, {2} are not fully met, {3} \
        were not judged. Rules: {4} green, {5} amber, {6} red, {7} not judged (Annex III)."
        => "Trong {0} điều khoản có quy tắc đối chiếu: đáp ứng đầy đủ {1}, chưa đáp ứng đầy đủ \
        {2}, chưa xét {3}. Quy tắc: xanh {4}, vàng {5}, đỏ {6}, chưa xét {7} (Phụ lục III).";
    ADVICE_HEAD: "VII. Proposals. " => "VII. Kiến nghị. ";
    ADVICE: "To be mended first: {0}. " => "Ưu tiên khắc phục: {0}. ";
    ATTACHED: "Attached: Annex I (backups), II (drills), III (rules, requirements), IV \
        (evidence)./."
        => "Kèm theo: Phụ lục I (sao lưu), II (diễn tập), III (quy tắc, yêu cầu), IV (bằng \
        chứng)./.";
    SIGN_HEAD: "HEAD OF THE OFFICE" => "THỦ TRƯỞNG CƠ QUAN";
    FILE_TITLE: "Report on backups and drills, {0}" => "Báo cáo sao lưu, diễn tập {0}";
    FOOTER: "Report {0} | {1}" => "Báo cáo {0} | {1}";
    COLUMN_LAST: "Last proof" => "Lần chứng minh gần nhất";
    DAYS: "{0} ({1} days ago)" => "{0} ({1} ngày trước)";
    NEVER_CELL: "never" => "chưa có";

    ANNEX_OF: "(To the report No. {0}/BC-{1} of {2})" => "(Kèm theo Báo cáo số {0}/BC-{1} {2})";
    ANNEX_BACKUPS: "BACKUPS BY DATASET" => "SAO LƯU THEO TẬP DỮ LIỆU";
    COLUMN_PLANNED: "Planned" => "Theo lịch";
    COLUMN_DONE: "Good" => "Đạt";
    COLUMN_PROBLEMS: "With problems" => "Có lỗi";
    COLUMN_FAILED: "Failed" => "Không thành công";
    COLUMN_BROKEN: "Broken off" => "Bị ngắt";
    COLUMN_MISSED: "Not run" => "Không chạy";
    COLUMN_GAP: "Longest gap (RPO)" => "Khoảng trống dài nhất (RPO)";
    COLUMN_GROWTH: "Size, first to last" => "Dung lượng đầu – cuối kỳ";
    ANNEX_DRILLS: "DRILLS OF THE PERIOD" => "CÁC CUỘC DIỄN TẬP TRONG KỲ";
    COLUMN_CODE: "Drill" => "Cuộc diễn tập";
    COLUMN_ENDED: "Ended" => "Kết thúc";
    COLUMN_DATASETS: "Datasets (origin, age)" => "Tập dữ liệu (nơi lấy, nhóm tuổi)";
    COLUMN_LED: "Led by" => "Người thực hiện";
    BY_SUBSTITUTE: "substitute" => "người thay thế";
    BY_OPERATOR: "operator" => "người phụ trách";
    BY_UNKNOWN: "not recorded" => "không ghi";
    TREND: "Month by month" => "Diễn biến theo tháng";
    TREND_NOTE: "Of drills and of datasets in them: proven, of all. Covered: datasets whose proof \
        was as young at the month's end as the plan asks for, of all that there are now. RTO, RPO: \
        within the target, of those that were measured. Speed: the middle of all restores. The \
        oldest proof: at the month's end; \"never\" while a dataset has none."
        => "Cuộc diễn tập, tập dữ liệu trong cuộc: số đạt trên tổng số. Còn hạn: tập dữ liệu có \
        lần chứng minh còn trong hạn kế hoạch vào cuối tháng, trên số tập dữ liệu hiện có. RTO, \
        RPO: số đạt mục tiêu trên số đã đo. Tốc độ: trung vị các lần khôi phục. Chứng minh cũ \
        nhất: tính đến cuối tháng; \"chưa có\" khi còn tập dữ liệu chưa được chứng minh.";
    COLUMN_MONTH: "Month" => "Tháng";
    COLUMN_HELD: "Drills" => "Cuộc diễn tập";
    COLUMN_ITEMS: "Datasets" => "Tập dữ liệu";
    COLUMN_COVERED: "Covered" => "Còn hạn";
    COLUMN_WITHIN_RTO: "RTO" => "RTO";
    COLUMN_WITHIN_RPO: "RPO" => "RPO";
    COLUMN_SPEED: "Speed" => "Tốc độ";
    COLUMN_OLDEST: "Oldest proof" => "Chứng minh cũ nhất";
    OLDEST_DAYS: "{0} days" => "{0} ngày";
    ANNEX_RULES: "RULES AND REQUIREMENTS" => "QUY TẮC VÀ YÊU CẦU";
    COLUMN_RULE: "Rule" => "Quy tắc";
    COLUMN_COLOUR: "Colour" => "Màu";
    COLUMN_WHY: "Why" => "Lý do";
    RED: "red" => "đỏ";
    AMBER: "amber" => "vàng";
    GREEN: "green" => "xanh";
    NOT_JUDGED: "not judged" => "chưa xét";
    COLUMN_CLAUSE: "Clause" => "Điều khoản";
    COLUMN_RULES: "Rules" => "Quy tắc";
    COLUMN_STATUS: "Status" => "Mức đáp ứng";
    MET: "met" => "Đã đáp ứng đầy đủ";
    NOT_MET: "not fully met" => "Chưa đáp ứng đầy đủ";
    CLAUSES_TITLE: "Clauses of the legal frame" => "Điều khoản của khung pháp lý";
    TO_VERIFY: "{0} (to be compared with the official text)" => "{0} (cần đối chiếu văn bản gốc)";
    ANNEX_EVIDENCE: "EVIDENCE" => "BẰNG CHỨNG";
    DATA: "SHA-256 of this report's data (JSON)" => "SHA-256 của tệp số liệu (JSON)";
    PLAN: "SHA-256 of the continuity plan" => "SHA-256 của kế hoạch";
    LEDGER: "Code of the evidence ledger" => "Mã đối chiếu của nhật ký bằng chứng";
    PROGRAM: "Made by" => "Lập bằng";
    LIMITS: "Counted are runs and drills that this machine recorded; copies are those that were \
        seen in the storages when the report was made. What was not seen is not green."
        => "Số liệu đếm từ các lượt chạy và cuộc diễn tập do máy này ghi nhận; bản sao là những \
        bản đã thấy tại nơi lưu khi lập báo cáo. Điều chưa thấy thì không xanh.";
}
