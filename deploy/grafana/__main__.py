"""Writes the dashboards: ``python -m deploy.grafana``."""

from deploy.grafana.files import write_dashboards

if __name__ == "__main__":
    write_dashboards()
