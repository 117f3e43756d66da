"""What LocalStack needs on a machine without Docker.

Lambdas run as Node processes instead of containers (LAMBDA_RUNTIME_EXECUTOR=process), and DynamoDB Local starts from
the jars of its Maven package with the machine's own Java. All else is LocalStack's.
"""

import logging
import os
import subprocess
import threading
from collections import deque

from localstack import config
from localstack.runtime import hooks
from localstack.services.lambda_.invocation.executor_endpoint import ExecutorEndpoint
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.utils.net import get_free_tcp_port

LOG = logging.getLogger("localstack.processes")
LOOPBACK = "127.0.0.1"
# How long a function may take to end before it is killed.
STOP_TIMEOUT_SECONDS = 3
# The last lines of a function's output, for the error of one that does not start.
KEPT_LINES = 200


class ProcessRuntimeExecutor(RuntimeExecutor):
    """One environment of a function: run-function.mjs in a Node process, called over loopback."""

    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self.port = get_free_tcp_port()
        self.executor_endpoint = ExecutorEndpoint(id, container_address=LOOPBACK, container_port=self.port)
        self.process = None
        self.lines = deque(maxlen=KEPT_LINES)

    def start(self, env_vars):
        self.executor_endpoint.start()
        function_config = self.function_version.config
        code = str(function_config.code.get_unzipped_code_location())
        env = {name: str(value) for name, value in env_vars.items()}
        env |= {
            "PATH": os.environ["PATH"],
            "LAMBDA_TASK_ROOT": code,
            "RUN_FUNCTION_PORT": str(self.port),
            "TZ": "UTC",
        }
        heap_mb = max(64, function_config.memory_size)
        self.process = subprocess.Popen(
            [
                os.environ["RUN_FUNCTION_NODE"],
                f"--max-old-space-size={heap_mb}",
                os.environ["RUN_FUNCTION_SCRIPT"],
            ],
            cwd=code,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read_output, daemon=True).start()
        threading.Thread(target=self._fail_startup_at_exit, daemon=True).start()
        self.executor_endpoint.wait_for_startup()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        try:
            self.executor_endpoint.shutdown()
        except Exception as error:
            LOG.debug("executor endpoint did not shut down: %s", error)

    def invoke(self, payload):
        return self.executor_endpoint.invoke(payload)

    def get_address(self):
        return LOOPBACK

    def get_endpoint_from_executor(self):
        return LOOPBACK

    def get_runtime_endpoint(self):
        port = config.GATEWAY_LISTEN[0].port
        return f"http://{LOOPBACK}:{port}{self.executor_endpoint.get_endpoint_prefix()}"

    def get_logs(self):
        return "".join(self.lines)

    @classmethod
    def prepare_version(cls, function_version):
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass

    def _read_output(self):
        for line in self.process.stdout:
            self.lines.append(line)
            LOG.debug("%s: %s", self.function_version.id.function_name, line.rstrip())

    def _fail_startup_at_exit(self):
        """Without this, a function that ends while it is loaded would be waited for until the timeout."""
        exit_code = self.process.wait()
        startup = self.executor_endpoint.startup_future
        if startup and not startup.done():
            startup.set_exception(RuntimeError(f"node exited with {exit_code}: {self.get_logs()}"))


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args, **kwargs):
        return ProcessRuntimeExecutor


@hooks.on_infra_start()
def start_dynamodb_from_jars():
    """LocalStack unpacks a download with a manifest and a Java agent, and a Java of its own; here there are only jars."""
    from localstack.services.dynamodb.packages import DynamoDBLocalPackageInstaller
    from localstack.services.dynamodb.server import DynamodbServer, dynamodblocal_package

    def command(server):
        jars = dynamodblocal_package.get_installed_dir()
        database = ["-inMemory"] if server.in_memory else ["-dbPath", server.db_path]
        return [
            "java",
            f"-Xmx{server.heap_size}",
            f"-Djava.library.path={jars}",
            "-cp",
            f"{jars}/*",
            "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
            "-port",
            str(server.port),
            *database,
        ]

    DynamodbServer._create_shell_command = command
    DynamoDBLocalPackageInstaller.get_java_env_vars = lambda _: {}
