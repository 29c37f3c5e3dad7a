//! What a wrapper of a restore's target passes on as it is.

/// Methods of `lifeboat::target::Writer` that go to `self.inner()`.
macro_rules! forwarded {
    (look) => {
        fn look(&mut self, path: &SnapshotPath) -> Result<Option<Meta>, TargetError> {
            self.inner().look(path)
        }
    };
    (list) => {
        fn list(&mut self, folder: &SnapshotPath) -> Result<Vec<Vec<u8>>, TargetError> {
            self.inner().list(folder)
        }
    };
    (create_folder) => {
        fn create_folder(&mut self, path: &SnapshotPath) -> Result<Made, TargetError> {
            self.inner().create_folder(path)
        }
    };
    (create_file) => {
        fn create_file(
            &mut self,
            path: &SnapshotPath,
            naming: Naming,
        ) -> Result<Box<dyn NewFile>, TargetError> {
            self.inner().create_file(path, naming)
        }
    };
    (open_file) => {
        fn open_file(&mut self, path: &SnapshotPath) -> Result<Box<dyn OldFile>, TargetError> {
            self.inner().open_file(path)
        }
    };
    (create_special) => {
        fn create_special(
            &mut self,
            path: &SnapshotPath,
            special: Special<'_>,
            attributes: &Attributes<'_>,
            placing: Placing,
        ) -> Result<Vec<Lack>, TargetError> {
            self.inner().create_special(path, special, attributes, placing)
        }
    };
    (create_link) => {
        fn create_link(
            &mut self,
            path: &SnapshotPath,
            existing: &SnapshotPath,
            placing: Placing,
        ) -> Result<(), TargetError> {
            self.inner().create_link(path, existing, placing)
        }
    };
    (set_attributes) => {
        fn set_attributes(
            &mut self,
            path: &SnapshotPath,
            kind: Kind,
            attributes: &Attributes<'_>,
        ) -> Result<Vec<Lack>, TargetError> {
            self.inner().set_attributes(path, kind, attributes)
        }
    };
    (settle) => {
        fn settle(
            &mut self,
            path: &SnapshotPath,
            mtime: lifeboat::units::FileTime,
        ) -> Result<lifeboat::target::Settled, TargetError> {
            self.inner().settle(path, mtime)
        }
    };
    (remove) => {
        fn remove(&mut self, path: &SnapshotPath, kind: Kind) -> Result<(), TargetError> {
            self.inner().remove(path, kind)
        }
    };
    ($($method:ident),+) => {
        $(forwarded!($method);)+
    };
}
