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
}
