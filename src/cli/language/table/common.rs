//! Labels, progress, and what many verbs say.

texts! {
    ERROR: "error:" => "lỗi:";
    NEXT: "next:" => "việc cần làm:";
    WARNING: "warning:" => "cảnh báo:";
    PROBLEM: "problem:" => "vấn đề ghi nhận:";
    HEALABLE: "healable:" => "còn bản khác thay thế:";
    DAMAGE: "damage:" => "hư hỏng:";

    OPENING: "opening" => "đang mở kho sao lưu";
    SCANNING: "scanning" => "đang quét nguồn dữ liệu";
    BACKING_UP: "backing up" => "đang sao lưu";
    COMMITTING: "committing" => "đang chốt bản chụp";
    RESTORING: "restoring" => "đang khôi phục";
    VERIFYING: "verifying" => "đang kiểm chứng";
    CHECKING: "checking" => "đang kiểm tra";
    PLANNING: "planning" => "đang lập kế hoạch";
    COPYING: "copying" => "đang sao chép";
    FINISHING: "finishing" => "đang hoàn tất";

    PROGRESS: "{phase}  {entries} entries  {bytes}  {rate}/s  {clock}"
        => "{phase}  {entries} mục  {bytes}  {rate}/giây  {clock}";
    PROGRESS_FILES: "{phase}  {entries} of {found} entries  {bytes} of {whole}  {rate}/s  {clock}"
        => "{phase}  {entries}/{found} mục  {bytes}/{whole}  {rate}/giây  {clock}";
    PROGRESS_PERCENT: "  {percent} %" => "  {percent}%";
    PROGRESS_LEFT: "  {clock} left" => "  còn {clock}";
    PROGRESS_PROBLEMS: "  {count} problems" => "  {count} vấn đề ghi nhận";
    PROGRESS_STALLED: "  stalled on {phase} for {seconds} s"
        => "  đứng yên {seconds} giây khi {phase}";

    UNTOUCHED: "earlier snapshots are untouched" => "các bản chụp trước vẫn nguyên vẹn";
    NOTHING_CHANGED: "nothing was changed" => "chưa có gì bị thay đổi";
    INTERNAL: "internal error; the text above says where"
        => "lỗi bên trong chương trình; dòng chữ phía trên cho biết ở đâu";
    SEE_HELP: "see `lifeboat --help`" => "xem `lifeboat --help`";
    REPORT_IT: "report it" => "báo cho nhóm phát triển";
    NO_RANDOM: "the system gave no random bytes: {detail}"
        => "hệ điều hành không cấp số ngẫu nhiên: {detail}";
    START_UP: "run the command on a system that has started up"
        => "chạy lại lệnh khi hệ điều hành đã khởi động xong";
    STOPPED: "{why}" => "lượt chạy bị dừng giữa chừng ({why})";
    SENT_IS_KEPT: "what was sent before is kept and reused; earlier snapshots are untouched"
        => "phần đã gửi được giữ lại để dùng tiếp; các bản chụp trước vẫn nguyên vẹn";
    RUN_SAME_AGAIN: "run the same command again; it goes on from there"
        => "chạy lại đúng lệnh đó; chương trình làm tiếp từ chỗ dừng";
    STDOUT: "standard output: {detail}" => "không ghi được ra màn hình hoặc đầu ra: {detail}";
    SEND_ELSEWHERE: "send the output elsewhere and run the command again"
        => "chuyển đầu ra đi nơi khác rồi chạy lại lệnh";
}
