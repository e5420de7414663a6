# Locates Python, pybind11, Eigen, OpenMP and threads.
#
# Eigen and pybind11 usually come as wheels (cmeel-eigen, pybind11), so the Python interpreter is
# asked where they are unless Eigen3_ROOT or pybind11_DIR say so; copies of the system serve too.

if(THALWEG_BUILD_PYTHON)
  set(PYBIND11_FINDPYTHON ON)
  find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
  if(NOT DEFINED pybind11_DIR)
    execute_process(
      COMMAND "${Python_EXECUTABLE}" -m pybind11 --cmakedir
      OUTPUT_VARIABLE pybind11_directory
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(pybind11_directory)
      set(pybind11_DIR "${pybind11_directory}" CACHE PATH "CMake configuration of pybind11")
    endif()
  endif()
  find_package(pybind11 3.0 CONFIG REQUIRED)
else()
  find_package(Python QUIET COMPONENTS Interpreter)
endif()

if(NOT DEFINED Eigen3_ROOT AND NOT DEFINED Eigen3_DIR AND Python_EXECUTABLE)
  set(find_prefix
      "import pathlib, sys"
      "found = [p for e in sys.path for p in [pathlib.Path(e, 'cmeel.prefix')] if p.is_dir()]"
      "print(found[0].as_posix() if found else '')")
  list(JOIN find_prefix "\n" find_prefix)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c "${find_prefix}"
    OUTPUT_VARIABLE eigen_prefix
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(eigen_prefix)
    set(Eigen3_ROOT "${eigen_prefix}")
  endif()
endif()
find_package(Eigen3 3.4 CONFIG QUIET)
if(NOT TARGET Eigen3::Eigen)
  message(FATAL_ERROR "Eigen 3.4 not found: `pip install cmeel-eigen` in the active environment, "
                      "or install the system's package, or pass -DEigen3_ROOT=PREFIX")
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
if(THALWEG_OPENMP)
  find_package(OpenMP COMPONENTS CXX)
endif()
