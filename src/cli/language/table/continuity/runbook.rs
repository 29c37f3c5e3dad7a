//! `continuity runbook`: what stands in its booklets.

texts! {
    TITLE: "Recovery runbook" => "Sổ tay khôi phục";
    FOOTER: "{org} | recovery runbook of {date} | plan {hash} | {program}"
        => "{org} | sổ tay khôi phục lập ngày {date} | kế hoạch {hash} | {program}";
    HEAD_TYPE: "Type" => "Gõ lệnh";
    HEAD_SEE: "You must see" => "Phải thấy";
    HEAD_ELSE: "If not → do this" => "Nếu khác → làm gì";
    WRITTEN: "`{path}` is written: print it, and put it where it is found without a computer"
        => "đã ghi `{path}`: hãy in ra và để nơi tìm được khi không có máy tính";
    NOT_MADE: "the runbook cannot be made: {detail}" => "không lập được sổ tay: {detail}";
    NO_PLACE: "the configuration has no storage for scenario {scenario}: {why}"
        => "cấu hình chưa có nơi lưu cho tình huống {scenario}: {why}";
    NO_HELD: "none of the plan is offline or append-only"
        => "kế hoạch chưa có nơi lưu ngoại tuyến hoặc chỉ ghi thêm";
    NO_AWAY: "none of the plan lies in another failure domain"
        => "kế hoạch chưa có nơi lưu ở vùng rủi ro khác";
    CHANGE_PLAN: "add one to the plan, or name other scenarios with --scenario"
        => "bổ sung vào kế hoạch, hoặc nêu tình huống khác bằng --scenario";

    FILE: "A FILE IS LOST" => "MẤT TỆP";
    FILE_LEAD: "The server works. One file or folder is deleted, overwritten or damaged."
        => "Máy chủ vẫn chạy. Một tệp hay thư mục bị xóa, ghi đè hoặc hỏng.";
    WORKSTATION: "A WORKSTATION IS LOST" => "HỎNG MÁY TRẠM";
    WORKSTATION_LEAD: "The server works. A workstation is broken, stolen or replaced."
        => "Máy chủ vẫn chạy. Một máy trạm hỏng, mất hoặc phải thay.";
    SERVER: "THE SERVER IS LOST" => "HỎNG MÁY CHỦ";
    SERVER_LEAD: "The server does not start any more. Its storage can still be reached."
        => "Máy chủ không khởi động được. Nơi lưu bản sao vẫn đọc được.";
    RANSOMWARE: "RANSOMWARE" => "MÃ ĐỘC TỐNG TIỀN";
    RANSOMWARE_LEAD: "Files are encrypted or renamed, or somebody asks for money."
        => "Tệp bị mã hóa, bị đổi tên, hoặc có kẻ đòi tiền chuộc.";
    SITE: "THE SITE IS LOST" => "MẤT TRỤ SỞ";
    SITE_LEAD: "Fire, flood or theft: the house and all that is in it cannot be reached."
        => "Cháy, lụt, trộm: không vào được trụ sở và mọi thứ trong đó.";

    STOP: "0. STOP" => "0. DỪNG LẠI";
    STOP_NOTE: "Note the hour of discovery: " => "Ghi giờ phát hiện: ";
    STOP_PHOTO: "Photograph the screen. Touch nothing else yet."
        => "Chụp ảnh màn hình. Chưa đụng vào thứ gì khác.";
    STOP_UNPLUG: "Pull out the network cable, switch off Wi-Fi. Leave the machine running."
        => "Rút dây mạng, tắt Wi-Fi. Để nguyên máy đang chạy.";
    STOP_SCENE: "If the scene is to be kept as it is, restore on another machine only."
        => "Nếu phải giữ nguyên hiện trạng, chỉ khôi phục trên máy khác.";
    STOP_STORE: "Do not plug in the offline copy before step 4."
        => "Chưa cắm bản sao ngoại tuyến trước bước 4.";
    DEADLINE: "Deadline" => "Hạn báo cáo";
    DEADLINE_HOURS: "{hours} hours from that hour" => "{hours} giờ kể từ giờ đó";
    CLAUSE: "Clause" => "Điều khoản";

    CALL: "1. Call" => "1. Gọi";
    WHO: "Who" => "Ai";
    NAME: "Name" => "Họ tên";
    PHONE: "Telephone" => "Điện thoại";
    ROLE_CHAIR: "chair" => "chủ trì";
    ROLE_SECRETARY: "secretary" => "thư ký";
    ROLE_OPERATOR: "operator" => "người thực hiện";
    ROLE_SUBSTITUTE: "substitute" => "người thay thế";
    ROLE_OWNER: "data owner" => "chủ dữ liệu";
    ROLE_HOLDER: "holds a key share" => "giữ mảnh khóa";
    ROLE_WITNESS: "witness" => "người chứng kiến";
    ROLE_AUDITOR: "auditor" => "người kiểm tra độc lập";
    CONTACT: "contact: {id}" => "đầu mối: {id}";

    KIT: "2. Fetch the kit and the envelopes" => "2. Lấy bộ khởi động và phong bì khóa";
    KIT_TEXT: "Two people fetch them and write down the number of each seal."
        => "Hai người cùng lấy và ghi lại số của từng niêm phong.";
    KIT_HOLDERS: "Key shares are held by: {names}." => "Người giữ mảnh khóa: {names}.";
    KIT_SEALS: "Seals: " => "Số niêm phong: ";

    BLANK: "3. Take a blank PC with Linux" => "3. Dùng một máy tính trắng chạy Linux";
    BLANK_TEXT: "Copy the program of the kit to /usr/local/bin. Type line by line, from the top \
        down. Long commands go on in the next line: there is one space between the two."
        => "Chép chương trình trong bộ khởi động vào /usr/local/bin. Gõ từng dòng, từ trên xuống. \
        Lệnh dài viết tiếp ở dòng dưới: giữa hai dòng là một dấu cách.";
    HERE_TEXT: "On the server, type line by line, from the top down. Long commands go on in the \
        next line: there is one space between the two."
        => "Trên máy chủ, gõ từng dòng, từ trên xuống. Lệnh dài viết tiếp ở dòng dưới: giữa hai \
        dòng là một dấu cách.";
    HERE: "1. Get ready" => "1. Chuẩn bị";

    OPEN: "4. Open the storage" => "4. Mở nơi lưu bản sao";
    OPEN_TEXT: "In this order; the first that answers is used."
        => "Theo thứ tự này; dùng nơi đầu tiên đọc được.";
    STORAGE: "Storage" => "Nơi lưu";
    WHERE: "Where" => "Ở đâu";
    OFFLINE: "offline" => "ngoại tuyến";
    DOMAIN: "Failure domain" => "Vùng rủi ro";

    SHARES: "5. Type the key shares" => "5. Gõ các mảnh khóa";
    SHARES_TEXT: "One share a line, its words with spaces between them; an empty line ends. Four \
        letters of a word suffice."
        => "Mỗi mảnh một dòng, các từ cách nhau bằng dấu cách; dòng trống để kết thúc. Mỗi từ chỉ \
        cần bốn chữ cái đầu.";
    LOOK: "6. See that the copies are whole" => "6. Xem bản sao còn nguyên vẹn";
    LOOK_TEXT: "● marks the last copy that a drill has proven."
        => "● là bản sao được diễn tập chứng minh gần nhất.";
    LOOK_ATTACK: "● marks the last copy that a drill has proven. Take none that is newer than the \
        attack."
        => "● là bản sao được diễn tập chứng minh gần nhất. Không dùng bản mới hơn lúc bị tấn \
        công.";

    SERVICE: "7. Restore {order}: {name}" => "7. Khôi phục {order}: {name}";
    SERVICE_HERE: "2. Restore: {name}" => "2. Khôi phục: {name}";
    SERVICE_OWNER: "Owner: {owner}. Works again within {rto}."
        => "Chủ dữ liệu: {owner}. Phải hoạt động lại trong {rto}.";
    SERVICE_MTD: "Longer than {mtd} cannot be borne." => "Không thể ngừng quá {mtd}.";
    NOT_APPROVED: "{value} (not approved by the leader)"
        => "{value} (chưa được lãnh đạo phê duyệt)";
    SERVICE_FALLBACK: "Until then: {fallback}." => "Trong lúc chờ: {fallback}.";
    SERVICE_AFTER: "First: {services}." => "Khôi phục trước: {services}.";
    PROVEN: "● {name}: copy {id} of {date}, proven on {on}; took {took}."
        => "● {name}: bản {id} ngày {date}, chứng minh ngày {on}; mất {took}.";
    UNPROVEN: "{name}: no drill has proven a copy yet; how long it takes is not known."
        => "{name}: chưa có bản nào được diễn tập chứng minh; chưa biết mất bao lâu.";
    NOT_MEASURED: "an unknown time" => "chưa rõ bao lâu";

    VERIFY: "8. The owner looks" => "8. Chủ dữ liệu kiểm tra";
    VERIFY_HERE: "3. The owner looks" => "3. Chủ dữ liệu kiểm tra";
    VERIFY_TEXT: "The owner opens three records by name and confirms: "
        => "Chủ dữ liệu mở ba hồ sơ nêu đích danh và xác nhận: ";
    RECORD: "Record: " => "Hồ sơ: ";

    USE: "9. Into use" => "9. Đưa vào sử dụng";
    USE_HOUR: "Confirmed by the owner at (T8): " => "Chủ dữ liệu xác nhận lúc (T8): ";
    USE_TEXT: "Write the minutes. Make the keys anew and seal new envelopes. Restart the backups. \
        Plan the return to the old place."
        => "Lập biên bản. Thay khóa và niêm phong phong bì mới. Cho sao lưu chạy lại. Lập kế hoạch \
        trở về nơi cũ.";

    SEE: "“{sign}”" => "“{sign}”";
    SEE_NOTHING: "nothing" => "không hiện gì";
    SEE_STAR: "a line that begins with {id}" => "một dòng bắt đầu bằng {id}";
    SEE_LINE: "at least one line with {name}" => "ít nhất một dòng có {name}";
    ELSE_FOLDER: "take another disk with free space" => "dùng ổ đĩa khác còn trống";
    ELSE_PROGRAM: "copy the program from the other kit"
        => "chép chương trình từ bộ khởi động thứ hai";
    ELSE_OPERATOR: "call the operator" => "gọi người thực hiện";
    ELSE_AGAIN: "compare letter by letter, type again" => "so từng chữ, gõ lại";
    ELSE_NEXT: "next storage of step 4" => "dùng nơi lưu kế tiếp ở bước 4";
    ELSE_SHARES: "compare each word with the paper; take another share"
        => "so từng từ với bản giấy; dùng mảnh khác";
    ELSE_CHECK: "go on, note what it says; then the next storage"
        => "ghi lại nội dung, làm tiếp; sau đó xem nơi lưu kế tiếp";
    ELSE_OTHER: "take the newest line that is older than the trouble"
        => "dùng dòng mới nhất có trước khi xảy ra sự việc";
    ELSE_RESTORE: "note the files that it names; free space, type again"
        => "ghi các tệp được nêu; giải phóng chỗ trống, gõ lại";
    ELSE_NAME: "a part of the name between stars, such as '*name*'"
        => "gõ một phần tên giữa hai dấu sao, như '*ten*'";
    ELSE_SERVER: "start the database server; then by hand from the folder"
        => "khởi động máy chủ cơ sở dữ liệu; hoặc nạp bằng tay từ thư mục";
}
