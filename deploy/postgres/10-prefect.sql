-- Run once, when the data volume is empty. Prefect keeps its own database beside ours.
CREATE DATABASE prefect;
