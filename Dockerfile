# A worker for Beam runners that start containers (Flink, Dataflow, a portable job service).
# The image's own entry point, Beam's boot program, is kept.
FROM apache/beam_python3.11_sdk:2.77.0
WORKDIR /opt/ieforge
COPY . .
RUN pip install --no-cache-dir -c constraints.txt .
