use super::*;

#[test]
fn ranges_are_read() {
    assert_eq!(range_of("bytes 0-9/100"), Some((0, 9)));
    for text in ["", "bytes */100", "bytes 0-9", "bytes 9/100", "rows 0-9/100"] {
        assert_eq!(range_of(text), None, "{text}");
    }
}
