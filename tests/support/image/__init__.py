"""The Dockerfile and compose.yaml carried out without Docker, in namespaces of this machine. Needs root and Linux.

Stands in for: the base image (this machine's system, which has to be the same Debian and Python), PostgreSQL's and
nginx's images (this machine's packages). What only Docker can show, such as pulling these images, is not tried.
"""
