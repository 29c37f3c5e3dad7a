//! `stats` and `cat`.

texts! {
    SNAPSHOT: "snapshot" => "bản chụp";
    TIME: "time" => "thời điểm";
    FILES: "files" => "số tệp";
    FOLDERS: "folders" => "số thư mục";
    SIZE: "size" => "dung lượng";
    ADDED: "added" => "thêm mới";
    STORED: "stored" => "lưu thật";

    WHAT: "what" => "loại";
    NUMBER: "number" => "số lượng";
    PACKS: "packs" => "gói dữ liệu";
    INDEX_FILES: "index files" => "tệp mục lục";
    MANIFESTS: "manifests" => "bản kê";
    OTHERS: "other records" => "bản ghi khác";

    AT_SOURCE: "at the source" => "tại nguồn";
    AT_SOURCE_IS: "{bytes} in {files} files and {folders} folders of {count} snapshots"
        => "{bytes} trong {files} tệp và {folders} thư mục của {count} bản chụp";
    DIFFERENT: "different" => "nội dung riêng";
    DIFFERENT_IS: "{bytes} in {count} contents of files" => "{bytes} trong {count} nội dung tệp";
    DEDUPLICATED: "deduplicated" => "khử trùng lặp";
    DEDUPLICATED_IS: "{bytes} in {count} chunks and bundles, {times} times less"
        => "{bytes} trong {count} khối và bó, ít hơn {times} lần";
    COMPRESSED: "compressed" => "đã nén";
    COMPRESSED_IS: "{bytes} sealed, {times} times less"
        => "{bytes} sau khi nén và mã hóa, ít hơn {times} lần";
    STORED_IS: "{bytes} with {nodes_bytes} of {nodes} nodes and {copies_bytes} of second copies; \
        {times} times less than the source"
        => "{bytes} gồm cả {nodes_bytes} của {nodes} nút dữ liệu và {copies_bytes} bản thứ hai; \
        ít hơn nguồn {times} lần";
    REPOSITORY: "repository" => "kho sao lưu";
    REPOSITORY_IS: "{bytes} in {packs} packs; {objects} objects, {copies_bytes} of second copies, \
        at most {padding_bytes} of padding"
        => "{bytes} trong {packs} gói; {objects} khối dữ liệu, {copies_bytes} bản thứ hai, \
        tối đa {padding_bytes} phần đệm";
    RECORDS: "{index_bytes} of index, {manifests_bytes} of manifests, {others_bytes} of other \
        records"
        => "{index_bytes} tệp mục lục, {manifests_bytes} bản kê, {others_bytes} bản ghi khác";
    BAD_PACKS: "{count} packs are missing or cut: run `lifeboat check`"
        => "{count} gói bị thiếu hoặc bị cắt cụt: chạy `lifeboat check`";

    NO_PATH: "a path is only taken by `cat tree`" => "chỉ `cat tree` nhận đường dẫn";
    LEAVE_PATH: "leave the path out, or use `lifeboat cat tree`"
        => "bỏ đường dẫn, hoặc dùng `lifeboat cat tree`";
    NO_SID: "{detail}" => "mã khối dữ liệu không đúng\nchi tiết: {detail}";
    ALL_DIGITS: "give all digits, as `lifeboat cat pack` or a message shows them"
        => "ghi đủ các chữ số, như `lifeboat cat pack` hoặc thông báo hiển thị";
    BAD_RECORD: "`{name}`: {detail}" => "`{name}`: {detail}";
    RUN_CHECK: "run `lifeboat check`" => "chạy `lifeboat check`";
    NO_PACK: "no pack has an id that starts with `{digits}`"
        => "không có gói nào có mã bắt đầu bằng `{digits}`";
    NO_INDEX: "no index has an id that starts with `{digits}`"
        => "không có tệp mục lục nào có mã bắt đầu bằng `{digits}`";
    SEVERAL_IDS: "several ids start with `{digits}`" => "nhiều mã bắt đầu bằng `{digits}`";
    MORE_DIGITS: "give more digits" => "ghi thêm chữ số";
    SEE_PACKS: "see `lifeboat cat pack`" => "xem `lifeboat cat pack`";
    SEE_INDEXES: "see `lifeboat cat index`" => "xem `lifeboat cat index`";
}
