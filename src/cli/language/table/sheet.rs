//! The sheet of a share, for officials: it is printed, sealed and read years later.

texts! {
    TITLE: "LIFEBOAT RECOVERY KEY - SHARE {index} OF {total}"
        => "KHÓA KHÔI PHỤC LIFEBOAT - MẢNH KHÓA {index} TRÊN {total}";
    WHAT: "Any {needed} of the {total} shares of this set open every backup in the storage below.\n\
        Fewer tell nothing. Keep each share in another place, in a sealed envelope."
        => "{needed} mảnh khóa bất kỳ trong {total} mảnh của bộ này mở được mọi bản sao lưu\n\
        ở nơi lưu ghi dưới đây. Ít hơn thì không lộ gì. Cất mỗi mảnh ở một nơi\n\
        khác nhau, trong phong bì có niêm phong.";
    REPOSITORY: "Repository" => "Kho sao lưu";
    STORAGE: "Storage" => "Nơi lưu";
    SET: "Set" => "Bộ khóa số";
    SHARE: "Share" => "Mảnh khóa";
    SHARE_OF: "{index} of {total}, {needed} needed" => "{index} trên {total}, cần {needed} mảnh";
    CHECKSUM: "Checksum" => "Mã đối chiếu";
    MADE: "Made on" => "Ngày tạo";
    TO_PROVE: "To prove that it can be read:" => "Để kiểm chứng bản giấy:";
    TO_OPEN: "To open the backups with it:" => "Để mở các bản sao lưu:";
    TYPE: "Type the words in this order; four letters of a word suffice."
        => "Nhập các từ theo đúng thứ tự; mỗi từ chỉ cần bốn chữ cái đầu.";
    CODE: "The code holds the same words; any telephone reads it."
        => "Ô mã vuông chứa đúng các từ trên; điện thoại nào cũng đọc được.";
    HOLDER: "Holder (name, office)" => "Người giữ (họ tên, đơn vị)";
    RECEIVED: "Received on, signature" => "Ngày nhận, chữ ký";
    RECEIVED_ON: "Received on" => "Ngày nhận";
    SIGNATURE: "Signature" => "Chữ ký";
    PDF_TITLE: "Lifeboat recovery key" => "Khóa khôi phục Lifeboat";
    SEAL: "Number of the seal" => "Số niêm phong";
    SECRET: "Secret. Do not photograph, copy or send. Open only in an emergency or a drill."
        => "Mật. Không chụp ảnh, sao chép hay gửi đi. Chỉ mở khi có sự cố hoặc diễn tập khôi phục.";
}
