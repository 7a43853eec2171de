//! The path of a request: the names of a service and a method.

/// Writes `/package.Service/Method`; a service need not be in a package.
pub(crate) fn write(package: &str, service: &str, method: &str) -> String {
    let dot = if package.is_empty() { "" } else { "." };
    format!("/{package}{dot}{service}/{method}")
}

/// Reads the names, as Kitex does (spec 2.1): what is before the last `/` is the service, with or without a package.
pub(crate) fn read(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/').unwrap_or(path).rsplit_once('/')
}

/// The service without its package, which Kitex puts before it and ignores.
pub(crate) fn without_package(service: &str) -> &str {
    service.rsplit_once('.').map_or(service, |(_, service)| service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_two_names() {
        assert_eq!(read(&write("", "Echo", "Talk")), Some(("Echo", "Talk")));
        assert_eq!(read(&write("a.b", "Echo", "Talk")), Some(("a.b.Echo", "Talk")));
        let table = [
            ("/echo.EchoService/Echo", Some(("EchoService", "Echo"))),
            ("EchoService/Echo", Some(("EchoService", "Echo"))),
            ("/a.b/c.EchoService/Echo", Some(("EchoService", "Echo"))),
            ("/Echo/", Some(("Echo", ""))),
            ("//", Some(("", ""))),
            ("/Echo", None),
            ("", None),
        ];
        for (path, names) in table {
            let found = read(path).map(|(service, method)| (without_package(service), method));
            assert_eq!(found, names, "{path}");
        }
    }
}
