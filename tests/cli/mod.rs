//! The command line as its users meet it: the real program, its output, code and files.

mod scene;

mod options;
