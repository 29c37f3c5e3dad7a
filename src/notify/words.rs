//! The texts of messages, both languages beside each other. Places for values are named: `{job}`.

use crate::config::Language;

/// A text in both languages.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    pub en: &'static str,
    pub vi: &'static str,
}

impl Words {
    #[must_use]
    pub const fn of(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Vi => self.vi,
        }
    }

    /// With its values; what was put in is not looked at again.
    #[must_use]
    pub fn with(&self, language: Language, values: &[(&str, &str)]) -> String {
        let mut rest = self.of(language);
        let mut told = String::with_capacity(rest.len() + 32);
        while let Some((before, after)) = rest.split_once('{') {
            told.push_str(before);
            let (place, behind) = after.split_once('}').unwrap_or((after, ""));
            let value = values.iter().find(|(name, _)| *name == place);
            told.push_str(value.map_or("", |(_, value)| value));
            rest = behind;
        }
        told.push_str(rest);
        told
    }
}

macro_rules! words {
    ($($name:ident: $en:expr => $vi:expr;)*) => {
        $(pub const $name: Words = Words { en: $en, vi: $vi };)*

        /// All of them, by name.
        pub const ALL: &[(&str, Words)] = &[$((stringify!($name), $name)),*];
    };
}

words! {
    FAILED: "{what} has failed (exit code {code})"
        => "{what} đã dừng giữa chừng (mã kết thúc {code})";
    PROBLEMS: "{what} ended with {count} problems"
        => "{what} kết thúc với {count} vấn đề ghi nhận";
    DAMAGE: "{what} has found damage: something that was kept is lost"
        => "{what} phát hiện hư hỏng: có dữ liệu đã lưu bị mất";
    SILENT: "{what} has not gone well for too long (last: {good})"
        => "{what} đã quá lâu chưa có lượt đạt yêu cầu (gần nhất: {good})";
    DRILL: "{what} has not proven that data comes back (exit code {code})"
        => "{what} chưa chứng minh được dữ liệu khôi phục được (mã kết thúc {code})";
    DRILL_DATA: "{what} would not come back: the last drill found {codes} (last proven: {good})"
        => "{what} không khôi phục được: cuộc diễn tập gần nhất thấy {codes} (chứng minh gần \
        nhất: {good})";
    DRILL_OLD: "{what} is too old (last proven: {good})"
        => "{what} đã quá hạn (chứng minh gần nhất: {good})";
    SHRINK: "{what} found much less than usual: {size}, usually {usual}"
        => "{what} thấy dữ liệu ít hơn hẳn thường lệ: {size}, thường là {usual}";
    SIZE: "{files} files with {bytes}" => "{files} tệp, {bytes}";
    RECORD_FAILED: "runs cannot be put on record: the state folder cannot be written"
        => "không ghi được sổ các lượt chạy: thư mục trạng thái không ghi được";
    RECOVERED: "over: {what}, {event}, since {since}"
        => "đã hết: {what}, {event}, từ {since}";
    NEVER: "never" => "chưa có lượt nào";
    SINCE: "since {since}" => "từ {since}";
    AGAIN: "again, since {since}" => "nhắc lại, từ {since}";
    NEXT: "next: {next}" => "việc cần làm: {next}";

    JOB_BACKUP: "backup of dataset {dataset}" => "sao lưu tập dữ liệu {dataset}";
    JOB_COPY: "copy {job}" => "sao chép {job}";
    JOB_CHECK: "check of storage {storage}" => "kiểm tra nơi lưu {storage}";
    JOB_FORGET: "retention on storage {storage}" => "áp dụng thời hạn lưu ở {storage}";
    JOB_PRUNE: "pruning of storage {storage}" => "dọn nơi lưu {storage}";
    JOB_DRILL: "drill {job}" => "diễn tập {job}";
    JOB_REPORT: "report {job}" => "báo cáo {job}";
    JOB_ALARM: "the test of alarms, which fails on purpose,"
        => "phép thử còi báo động (cố ý gây lỗi)";
    JOB_DATA: "dataset {dataset}" => "tập dữ liệu {dataset}";
    JOB_PROOF: "the proof by drill of dataset {dataset}"
        => "bằng chứng diễn tập của tập dữ liệu {dataset}";
    JOB_RECORD: "the record of runs" => "sổ ghi các lượt chạy";
    JOB_OTHER: "job {job}" => "việc {job}";

    EVENT_FAILED: "failed" => "dừng giữa chừng";
    EVENT_PROBLEMS: "problems" => "vấn đề ghi nhận";
    EVENT_SILENT: "too old" => "quá cũ";
    EVENT_DAMAGE: "damage; the last run found none in what it read"
        => "hư hỏng; lượt gần nhất không thấy trong phần đã đọc";
    EVENT_DRILL: "drill" => "diễn tập";
    EVENT_SHRINK: "shrunk" => "ít đi nhiều";

    NEXT_RUNS: "look at `lifeboat runs`, then at the log of that run"
        => "xem `lifeboat runs`, rồi xem nhật ký của lượt đó";
    NEXT_RECORD: "make room on the disk of the state folder; backups go on"
        => "giải phóng chỗ trên ổ đĩa chứa thư mục trạng thái; việc sao lưu vẫn tiếp tục";
    NEXT_USAGE: "correct the configuration: `lifeboat config validate`"
        => "sửa cấu hình: `lifeboat config validate`";
    NEXT_NO_REPOSITORY: "see that the storage is there: a disk not mounted, a path that moved"
        => "kiểm tra nơi lưu: ổ đĩa chưa gắn, hoặc đường dẫn đã đổi";
    NEXT_BUSY: "see what else works on the repository: `lifeboat status`"
        => "xem việc nào đang dùng kho: `lifeboat status`";
    NEXT_KEY: "see that the passphrase in the configuration is that of the repository"
        => "kiểm tra mật khẩu trong cấu hình có đúng của kho không";
    NEXT_REFUSED: "read the message of that run in `lifeboat runs`: it says what to decide"
        => "đọc thông báo của lượt đó trong `lifeboat runs`: cần bạn quyết định";
    NEXT_NEWER: "update Lifeboat on this machine" => "cập nhật Lifeboat trên máy này";
    NEXT_STORAGE: "see that the storage answers: network, power, free space"
        => "kiểm tra nơi lưu có phản hồi không: mạng, điện, chỗ trống";
    NEXT_PROBLEMS: "look at `lifeboat runs`: each problem stands there with its reason"
        => "xem `lifeboat runs`: từng vấn đề ghi nhận kèm lý do";
    NEXT_DAMAGE: "delete nothing; run `lifeboat check` on this storage and on its copies"
        => "đừng xóa gì; chạy `lifeboat check` với nơi lưu này và các bản sao";
    NEXT_SILENT: "see that the machine and the daemon are on: `lifeboat status`"
        => "kiểm tra máy và dịch vụ có đang chạy không: `lifeboat status`";
    NEXT_DRILL: "try a restore by hand, and read the report of the drill"
        => "tự khôi phục thử, và đọc báo cáo diễn tập";
    NEXT_DATA: "see `lifeboat drill show`: it names the newest good snapshot and what to do"
        => "xem `lifeboat drill show`: nêu bản chụp tốt gần nhất và việc cần làm";
    NEXT_ACCESS: "see whether the keys and the storage are at hand: `lifeboat check`"
        => "kiểm tra khóa và nơi lưu có sẵn sàng không: `lifeboat check`";
    NEXT_PROOF: "hold a drill of it: `lifeboat drill run NAME`"
        => "diễn tập tập này: `lifeboat drill run TÊN`";
    NEXT_TEST: "nothing: this is the weekly test, and you have heard it"
        => "không cần làm gì: đây là phép thử hằng tuần, và bạn đã nhận được";
    NEXT_UNHEARD: "see which channel did not take it within half an hour: `lifeboat notify test`"
        => "xem kênh nào không nhận trong nửa giờ: `lifeboat notify test`";
    NEXT_SHRINK: "see whether somebody removed data on purpose; older snapshots still have it"
        => "kiểm tra có ai chủ ý xóa dữ liệu không; các bản chụp cũ vẫn còn giữ";

    SUBJECT_ONE: "[Lifeboat] {host}: {line}" => "[Lifeboat] {host}: {line}";
    SUBJECT_MANY: "[Lifeboat] {host}: {count} alarms" => "[Lifeboat] {host}: {count} cảnh báo";
    SUBJECT_OVER: "[Lifeboat] {host}: {count} alarms are over"
        => "[Lifeboat] {host}: {count} cảnh báo đã hết";
    SUBJECT_TEST: "[Lifeboat] {host}: test message" => "[Lifeboat] {host}: thư thử";
    BODY_TEST: "This is a test of channel {channel} on {host}. Whoever reads this will also read \
        alarms."
        => "Đây là thư thử của kênh {channel} trên máy {host}. Ai đọc được thư này cũng sẽ nhận \
        được cảnh báo.";
    FOOT: "This message has no names of files. `lifeboat status` on {host} tells more."
        => "Thư này không chứa tên tệp. Chạy `lifeboat status` trên máy {host} để biết thêm.";

    SUBJECT_DOCUMENTS: "[Lifeboat] {host}: {title}" => "[Lifeboat] {host}: {title}";
    BODY_DOCUMENTS: "{title}. Lifeboat on {host} has made these documents:"
        => "{title}. Lifeboat trên máy {host} đã lập các văn bản sau:";
    LETTER_WELL: "[Lifeboat] {host}: all is well, {month}"
        => "[Lifeboat] {host}: mọi việc đều ổn, {month}";
    LETTER_LOOK: "[Lifeboat] {host}: {count} jobs need a look, {month}"
        => "[Lifeboat] {host}: {count} việc cần xem lại, {month}";
    LETTER_HEAD: "What Lifeboat on {host} knows on {now}:"
        => "Lifeboat trên máy {host} ghi nhận lúc {now}:";
    LETTER_NONE: "There is no job in the configuration: nothing is protected."
        => "Cấu hình chưa có việc nào: chưa có gì được bảo vệ.";
    LETTER_JOB: "* {what}: last good run {good}, {age} ago, {bytes}{mark}"
        => "* {what}: lượt đạt gần nhất {good}, cách đây {age}, {bytes}{mark}";
    LETTER_NEVER: "* {what}: no good run yet{mark}" => "* {what}: chưa có lượt nào đạt{mark}";
    MARK_SILENT: " -- TOO OLD" => " -- QUÁ CŨ";
    MARK_FAILED: " -- LAST RUN FAILED" => " -- LƯỢT GẦN NHẤT DỪNG GIỮA CHỪNG";
    MARK_PROBLEMS: " -- WITH PROBLEMS" => " -- CÓ VẤN ĐỀ GHI NHẬN";
    MARK_SHRUNK: " -- MUCH LESS THAN USUAL" => " -- ÍT HƠN HẲN THƯỜNG LỆ";
    MARK_DAMAGE: " -- DAMAGE" => " -- HƯ HỎNG";
    LETTER_CHECKS: "Checks of what is stored:" => "Kiểm tra dữ liệu đã lưu:";
    LETTER_NO_CHECK: "* none: nobody has read what is stored"
        => "* chưa có: chưa ai đọc lại dữ liệu đã lưu";
    LETTER_UNTESTED: "Not tested: no drill has restored {datasets}."
        => "Chưa thử: chưa có lần diễn tập nào khôi phục {datasets}.";
    LETTER_DRILLED: "Each drill in the configuration has gone well at least once."
        => "Mỗi lần diễn tập trong cấu hình đã đạt ít nhất một lần.";
    LETTER_CHANNELS: "Channels that do not answer: {channels}."
        => "Kênh không phản hồi: {channels}.";
    AGE_DAYS: "{days} d {hours} h" => "{days} ngày {hours} giờ";
    AGE_HOURS: "{hours} h {minutes} min" => "{hours} giờ {minutes} phút";
    BYTES: "{size} read, {stored} stored" => "đọc {size}, lưu {stored}";
    BYTES_UNKNOWN: "sizes unknown" => "chưa rõ dung lượng";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(p, _)| p).collect()
    }

    #[test]
    fn both_languages_have_the_same_places() {
        for (name, words) in ALL {
            assert_eq!(places(words.en), places(words.vi), "{name}");
            assert!(!words.en.is_empty() && !words.vi.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_value_that_looks_like_a_place_is_a_value() {
        let told = SUBJECT_ONE.with(Language::En, &[("host", "{line}"), ("line", "x{host}")]);
        assert_eq!(told, "[Lifeboat] {line}: x{host}");
    }
}
