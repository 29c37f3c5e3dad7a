//! What an inspection of evidence says.

texts! {
    CHECKPOINT_DAMAGED: "the newest checkpoint, of {count} entries, is damaged; the entries \
        themselves verify"
        => "điểm đối chiếu mới nhất, của {count} bản ghi, bị hỏng; bản thân các bản ghi thì hợp lệ";
    CHECKPOINT_MENDED: "the checkpoint of {count} entries is damaged; entry {seq} says so, and a \
        later one covers it"
        => "điểm đối chiếu của {count} bản ghi bị hỏng; bản ghi {seq} đã nêu điều đó, điểm đối \
        chiếu sau bao gồm nó";
    ENTRY: "entry {seq}: {rest}" => "bản ghi {seq}: {rest}";
    DOCUMENT: "document of entry {seq}: {rest}" => "tài liệu của bản ghi {seq}: {rest}";
    UNREADABLE: "file `{name}` is not what its name says"
        => "tệp `{name}` không đúng với tên của nó";
    CHECKPOINT: "checkpoint of {size} entries: {rest}"
        => "điểm đối chiếu của {size} bản ghi: {rest}";
    CODE: "the code {code} of {size} entries is another: they were altered"
        => "mã đối chiếu {code} của {size} bản ghi không khớp: các bản ghi đã bị sửa";
    OTHER_LEDGER: "the fingerprint is that of another ledger"
        => "dấu vân tay là của một nhật ký bằng chứng khác";
    STEP: "drill `{drill}`, entry {seq}: {rest}"
        => "cuộc diễn tập `{drill}`, bản ghi {seq}: {rest}";
    DRAW: "entry {seq}: the draw does not follow from its pool, the ledger a day before it and its \
        word"
        => "bản ghi {seq}: kết quả bốc thăm không khớp danh sách gốc, nhật ký trước đó một ngày \
        và từ đã nêu";
    DRAW_AGAIN: "entry {seq}: {period} was drawn already, by entry {first}"
        => "bản ghi {seq}: kỳ {period} đã được bốc thăm ở bản ghi {first}";
    PROOF: "proof of entry {seq} does not lead to the checkpoint it names"
        => "chứng minh của bản ghi {seq} không dẫn tới điểm đối chiếu mà nó nêu";
    EMPTY: "there are no entries" => "không có bản ghi nào";
    GAP: "entries {from} to {to} are missing" => "thiếu các bản ghi từ {from} đến {to}";
    CUT: "a checkpoint covers {size} entries, there are {last}: the end is missing"
        => "điểm đối chiếu bao gồm {size} bản ghi, ở đây có {last}: thiếu phần cuối";
    CODE_UNKNOWN: "the code {code} fits no state of this ledger: what it was printed of is missing"
        => "mã đối chiếu {code} không khớp trạng thái nào của nhật ký bằng chứng: thiếu phần mà mã \
        này được in ra";
    DOCUMENT_MISSING: "the document {hash} of entry {seq} is missing"
        => "thiếu tài liệu {hash} của bản ghi {seq}";
    FILE_MISSING: "file `{name}` is missing" => "thiếu tệp `{name}`";
    NOT_HELD: "drill `{drill}` was due {due} and has no record"
        => "cuộc diễn tập `{drill}` đến hạn {due} mà không có biên bản ghi nhận";
    NO_RECORD: "drill `{drill}` was begun and has no record"
        => "cuộc diễn tập `{drill}` đã bắt đầu mà không có biên bản ghi nhận";
    NO_CLOSING: "drill `{drill}` has a record and, after {count} days, no closing record"
        => "cuộc diễn tập `{drill}` có biên bản ghi nhận nhưng sau {count} ngày vẫn chưa có bản \
        ghi \
        dọn dẹp";
    NO_SIGNATURES: "drill `{drill}` has a record and, after {count} days, not all signatures"
        => "cuộc diễn tập `{drill}` có biên bản ghi nhận nhưng sau {count} ngày vẫn chưa đủ chữ ký";
    OPEN: "drill `{drill}` is not over: {stage}"
        => "cuộc diễn tập `{drill}` chưa kết thúc: {stage}";
    REFUSED: "drill `{drill}`: `{holder}` has refused to sign"
        => "cuộc diễn tập `{drill}`: `{holder}` đã từ chối ký";
    SUSPECT: "entries {from} to {to} of `{holder}`: the key was lost and may have been used by \
        others"
        => "bản ghi từ {from} đến {to} của `{holder}`: khóa đã bị mất, người khác có thể đã dùng";
    DRAW_NOT_REPEATED: "entry {seq}: this program does not repeat draws; the draw was not checked"
        => "bản ghi {seq}: chương trình này không bốc thăm lại; kết quả bốc thăm chưa được kiểm \
        tra";
    OTHER_DRAW: "entry {seq}: its record names a draw that is not in this ledger"
        => "bản ghi {seq}: biên bản ghi nhận nêu một lần bốc thăm không có trong nhật ký bằng \
        chứng này";
    STRAY: "file `{name}` belongs to no bundle" => "tệp `{name}` không thuộc bộ hồ sơ kiểm tra";
    NOT_NAMED: "document {hash} belongs to no entry" => "tài liệu {hash} không thuộc bản ghi nào";
    NO_ANCHOR: "no fingerprint from paper was given: whose ledger this is was not checked"
        => "chưa nhập dấu vân tay in trên giấy: chưa kiểm tra nhật ký bằng chứng này của ai";
    NO_WITNESS: "no code or checkpoint from outside was given: a cut end would not show"
        => "chưa nhập mã đối chiếu hay điểm đối chiếu từ bên ngoài: nếu phần cuối bị cắt sẽ không \
        phát hiện được";
    NOT_AN_ENTRY: "not an entry: {rest}" => "không phải bản ghi: {rest}";
    NUMBER: "it says that it is number {found}" => "bản ghi tự nêu số {found}";
    LINK: "the entry before is another than the one it was made after"
        => "bản ghi liền trước khác với bản ghi mà nó nối tiếp";
    BACK_DATED: "it is dated before the entry before it"
        => "ghi thời điểm trước bản ghi liền trước";
    UNKNOWN_SIGNER: "`{holder}` has no key in this ledger at that point"
        => "tại thời điểm đó `{holder}` không có khóa trong nhật ký bằng chứng này";
    NO_RIGHT: "the key of `{holder}` gives no right to this"
        => "khóa của `{holder}` không có quyền làm việc này";
    SIGNATURE: "the signature of `{holder}` does not hold" => "chữ ký của `{holder}` không hợp lệ";
    KEY_DOCUMENT: "the document about a key is missing or altered"
        => "tài liệu về khóa bị thiếu hoặc đã bị sửa";
    CHECKPOINT_MISFIT: "a checkpoint of {size} entries does not fit: some are gone, or others"
        => "điểm đối chiếu của {size} bản ghi không khớp: có bản ghi đã mất hoặc bị thay";
    DOCUMENT_USED: "an entry before it names the same document"
        => "một bản ghi trước đã nêu chính tài liệu này";
    KEY: "a key event that does not count: {rest}" => "việc thay đổi khóa không có giá trị: {rest}";
    ALTERED: "its text is not that of its hash" => "nội dung không khớp mã băm";
    NOT_CANONICAL: "not canonical: {rest}" => "không đúng dạng chuẩn: {rest}";
    SCHEMA: "schema `{found}`, expected `{expected}`" => "mẫu `{found}`, lẽ ra là `{expected}`";
    UNKNOWN_AUTHOR: "author `{author}` has no key in this ledger at that point"
        => "tại thời điểm đó tác giả `{author}` không có khóa trong nhật ký bằng chứng này";
    ROLE: "`{author}` may not sign in this role" => "`{author}` không được ký với vai trò này";
    NOT_A_CHECKPOINT: "not a checkpoint, or under a name that does not fit"
        => "không phải điểm đối chiếu, hoặc tên không phù hợp";
    OTHER_ORIGIN: "it is one of another ledger" => "thuộc một nhật ký bằng chứng khác";
    UNSIGNED: "no key of this ledger has signed it"
        => "không có khóa nào của nhật ký bằng chứng này ký";
    MISFIT: "its root is not that of these entries: they were altered"
        => "gốc không khớp các bản ghi này: chúng đã bị sửa";
    ORDER: "`{to}` does not follow on `{from}`" => "`{to}` không thể đến sau `{from}`";
    SECOND_RECORD: "there is a record already" => "đã có biên bản ghi nhận";
    RECORD_FIRST: "it belongs to a record, and there is none before it"
        => "gắn với một biên bản ghi nhận, nhưng trước đó không có";
    OTHER_RECORD: "it names another record than that of the drill"
        => "nêu biên bản ghi nhận khác với của cuộc diễn tập";
    TOO_EARLY: "role `{role}` signs after `{before}`" => "vai trò `{role}` ký sau `{before}`";
    SAME_PERSON: "the owner of the data is the operator of the drill"
        => "chủ dữ liệu trùng với người thực hiện cuộc diễn tập";
    FIELD: "field `{field}` is missing or not as it must be"
        => "trường `{field}` bị thiếu hoặc không đúng";
    OTHER_FORM: "not the one form that this value has (order, spaces, escapes, or a name twice)"
        => "không phải dạng duy nhất của giá trị (thứ tự, dấu cách, ký tự thoát, tên lặp)";
    NOT_JSON: "not JSON: {rest}" => "không phải JSON: {rest}";
}
