//! `backup`.

texts! {
    NO_SNAPSHOTS: "--fs-snapshot is for Linux" => "--fs-snapshot chỉ dùng được trên Linux";
    LEAVE_OUT_SNAPSHOT: "leave it out" => "bỏ tùy chọn này";
    LEFTOVERS: "{count} unfinished files of killed backups removed ({bytes})"
        => "đã xóa {count} tệp viết dở của những lần sao lưu bị ngắt ({bytes})";
    UNFINISHED: "unfinished files" => "các tệp viết dở";
    A_LOCAL_STATE: "local state" => "dữ liệu cục bộ";
    NOTHING_NAMED: "nothing to back up is named" => "chưa nêu dữ liệu cần sao lưu";
    GIVE_PATH: "give a path, such as `.`" => "ghi một đường dẫn, ví dụ `.`";
    STREAM_ONLY: "--bytes-min and --last-line are about a stream"
        => "--bytes-min và --last-line chỉ dùng cho luồng dữ liệu";
    GIVE_STREAM: "give --stdin or --stdin-from-command with them"
        => "thêm --stdin hoặc --stdin-from-command";
    STREAM_NAME: "--stdin-filename `{name}`: {detail}" => "--stdin-filename `{name}`: {detail}";
    OTHER_NAME: "give another name" => "chọn tên khác";
    LAST_LINE: "--last-line: {detail}" => "--last-line: {detail}";
    PATH_LIST: "{option} `{path}`: {detail}" => "{option} `{path}`: {detail}";
    NAME_PATH_LIST: "name a file with paths" => "nêu một tệp ghi các đường dẫn";
    BAD_RULE: "{detail}" => "quy tắc loại trừ không dùng được: {detail}";
    CORRECT_RULE: "correct the rule; nothing was read" => "sửa quy tắc; chưa có gì được đọc";
    OTHER_MACHINE: "snapshot {id} was made by another machine"
        => "bản chụp {id} do một máy khác tạo ra";
    NAME_OWN: "name one of this machine, or leave --parent out"
        => "nêu một bản chụp của máy này, hoặc bỏ --parent";

    WOULD_READ: "{count} of {total} entries would be read ({bytes})"
        => "sẽ đọc {count} trong {total} mục ({bytes})";
    SAFE: "snapshot {id} is safe" => "bản chụp {id} đã được lưu an toàn";
    UNCHANGED: "nothing changed, no snapshot was made"
        => "không có gì thay đổi, không tạo bản chụp";
    DONE: "{first}\nfiles: {new} new, {changed} changed, {unchanged} unchanged; \
        {bytes}, {stored} added to the repository, {took}"
        => "{first}\ntệp: {new} mới, {changed} thay đổi, {unchanged} giữ nguyên; \
        {bytes}, thêm {stored} vào kho sao lưu, {took}";
    FLAGGED: "{done}\n{count} entries are incomplete in it; see above"
        => "{done}\n{count} mục trong đó chưa đầy đủ; xem phía trên";
}
