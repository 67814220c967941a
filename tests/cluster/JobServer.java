import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;

/**
 * Beam's job server for Flink, from the jar in the property "jar". It sends the jars that it sees on its class path along
 * with each job, of which Flink then loads every class anew. Here it sees none: Flink has the jar on its own class path.
 */
class JobServer {
    public static void main(String[] arguments) throws Exception {
        URL[] jar = {new File(System.getProperty("jar")).toURI().toURL()};
        ClassLoader loader = new URLClassLoader(jar) {
            @Override
            public URL[] getURLs() {
                return new URL[0];
            }
        };
        Thread.currentThread().setContextClassLoader(loader);
        Class<?> driver = loader.loadClass("org.apache.beam.runners.flink.FlinkJobServerDriver");
        driver.getMethod("main", String[].class).invoke(null, (Object) arguments);
    }
}
