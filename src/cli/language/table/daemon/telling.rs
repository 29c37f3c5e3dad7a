//! Channels, and tests of them.

texts! {
    CHANNEL: "channel" => "kênh";
    KIND: "kind" => "loại";
    ANSWER: "answer" => "phản hồi";
    ARRIVED: "arrived: {answer}" => "đã tới nơi: {answer}";
    NOT_ARRIVED: "not arrived: {detail}" => "chưa tới nơi: {detail}";
    DELIVERED: "documents sent to channel {channel}" => "đã gửi văn bản đến kênh {channel}";
    DOCUMENTS_FOR: "documents for channel {channel}" => "văn bản cho kênh {channel}";
    NO_CHANNEL: "the configuration has no channel `{name}`; it has:\n{channels}"
        => "cấu hình không có kênh `{name}`; hiện có:\n{channels}";
    NAME_CHANNEL: "name one of them, or add `[channel.NAME]` to the configuration file"
        => "nêu một trong các kênh đó, hoặc thêm `[channel.NAME]` vào tệp cấu hình";
    NONE: "the configuration has no channel: nobody is told of anything"
        => "cấu hình chưa có kênh nào: chưa ai nhận được cảnh báo";
    ADD_CHANNEL: "add `[channel.NAME]` and `[[notify]]` to the configuration file"
        => "thêm `[channel.NAME]` và `[[notify]]` vào tệp cấu hình";
    SOME_FAILED: "{count} of {total} channels did not take the message"
        => "{count} trên {total} kênh không nhận tin nhắn";
    SEE_ANSWERS: "correct what the answers above say, then run `lifeboat notify test` again"
        => "sửa theo các phản hồi ở trên, rồi chạy lại `lifeboat notify test`";
    NOT_ON_RECORD: "the test is not on record: {detail}"
        => "chưa ghi được lần thử này vào sổ: {detail}";
    NOBODY_HEARS: "no `[[notify]]` tells anybody of failed jobs: a test of alarms would say nothing"
        => "chưa có `[[notify]]` nào báo việc dừng giữa chừng (failed): thử còi cũng không nói \
        lên gì";
    ADD_NOTIFY: "add \"failed\" to `on` of a `[[notify]]`"
        => "thêm \"failed\" vào `on` của một `[[notify]]`";
    NO_DAEMON: "the daemon has no record yet: nobody would send an alarm"
        => "dịch vụ chưa có sổ các lượt chạy: chưa có ai gửi cảnh báo";
    START_DAEMON: "start the daemon, or run the job `alarm:test` by it"
        => "khởi động dịch vụ, hoặc để dịch vụ chạy việc `alarm:test`";
    PROVOKED: "this failure is on purpose: it tests whether an alarm is heard"
        => "lỗi này là cố ý: để thử xem có ai nhận được cảnh báo không";
    NOT_HEARD_YET: "the failure on purpose has not been told to every channel yet"
        => "chưa phải kênh nào cũng nhận được cảnh báo của lỗi cố ý";
    NOTHING_TO_DO: "nothing: it is looked at again in a minute"
        => "không cần làm gì: lát nữa sẽ xem lại";
    ALL_HEARD: "the alarm was taken by {count} channels in time"
        => "{count} kênh đã nhận cảnh báo đúng hạn";
    NOT_HEARD: "the alarm was not taken within half an hour by: {channels}"
        => "sau nửa giờ vẫn chưa nhận được cảnh báo: {channels}";
}
