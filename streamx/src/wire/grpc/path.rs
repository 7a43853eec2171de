//! The path of a request: the names of a service and a method.

/// Writes `/package.Service/Method`; a service need not be in a package.
pub(crate) fn write(package: &str, service: &str, method: &str) -> String {
    let dot = if package.is_empty() { "" } else { "." };
    format!("/{package}{dot}{service}/{method}")
}

/// The names in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path<'a> {
    /// Empty if there is none.
    pub(crate) package: &'a str,
    pub(crate) service: &'a str,
    pub(crate) method: &'a str,
}

/// Reads the names, as Kitex does (spec 2.1): what is behind the last `/` is the method, what is before the last `.` of the
/// rest the package.
pub(crate) fn read(path: &str) -> Option<Path<'_>> {
    let (service, method) = path.strip_prefix('/').unwrap_or(path).rsplit_once('/')?;
    let (package, service) = service.rsplit_once('.').unwrap_or(("", service));
    Some(Path { package, service, method })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_two_names_and_may_have_a_package() {
        let written = [write("", "Echo", "Talk"), write("a.b", "Echo", "Talk")];
        let table = [
            (&*written[0], Some(("", "Echo", "Talk"))),
            (&*written[1], Some(("a.b", "Echo", "Talk"))),
            ("/echo.EchoService/Echo", Some(("echo", "EchoService", "Echo"))),
            ("EchoService/Echo", Some(("", "EchoService", "Echo"))),
            ("/a.b/c.EchoService/Echo", Some(("a.b/c", "EchoService", "Echo"))),
            ("/Echo/", Some(("", "Echo", ""))),
            ("/.Echo/Talk", Some(("", "Echo", "Talk"))),
            ("//", Some(("", "", ""))),
            ("/Echo", None),
            ("", None),
        ];
        for (path, names) in table {
            let names = names.map(|(package, service, method)| Path { package, service, method });
            assert_eq!(read(path), names, "{path}");
        }
    }
}
