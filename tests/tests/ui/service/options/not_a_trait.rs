#[streamx::service]
pub struct Files {
    pub path: String,
}

fn main() {
    let _ = Files { path: String::new() };
}
