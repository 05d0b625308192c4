"""Write the dashboards and alert rules: ``python -m deploy.grafana.generate``."""

from deploy.grafana.generate.files import FOLDER, made


def main() -> None:
    """Write every file, and remove dashboards that are no longer made."""
    files = made()
    for name in {path.relative_to(FOLDER) for path in (FOLDER / "dashboards").glob("*.json")} - set(files):
        (FOLDER / name).unlink()
    for name, content in files.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
