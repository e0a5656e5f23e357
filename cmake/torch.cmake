# SPDX-License-Identifier: Apache-2.0
# Finds LibTorch: Debian's, or the one below a folder of CMAKE_PREFIX_PATH.

# What was found with other folders is looked for again, not kept: the folder that is named is the one that is used.
function(conadv_forget_other_torch)
  if(DEFINED CACHE{CONADV_TORCH_SOUGHT_IN} AND NOT "$CACHE{CONADV_TORCH_SOUGHT_IN}" STREQUAL "${CMAKE_PREFIX_PATH}")
    foreach(found Torch_DIR Caffe2_DIR TORCH_LIBRARY c10_LIBRARY C10_CUDA_LIBRARY kineto_LIBRARY)
      unset(${found} CACHE)
    endforeach()
  endif()
  set(CONADV_TORCH_SOUGHT_IN "${CMAKE_PREFIX_PATH}" CACHE INTERNAL "")
endfunction()

# The folders of CMAKE_PREFIX_PATH that are LibTorch's alone. PyTorch's archives have a Protobuf of their own, which is not for us.
function(conadv_torch_folders result)
  set(folders)
  foreach(folder IN LISTS CMAKE_PREFIX_PATH)
    if(EXISTS ${folder}/share/cmake/Torch/TorchConfig.cmake AND NOT EXISTS ${folder}/lib/cmake/grpc)
      list(APPEND folders ${folder})
    endif()
  endforeach()
  set(${result} ${folders} PARENT_SCOPE)
endfunction()

# Says which LibTorch it is, or why it cannot be used.
function(conadv_check_torch)
  get_filename_component(folder "${Torch_DIR}" REALPATH)
  get_filename_component(folder "${folder}/../../.." ABSOLUTE)
  if("${TORCH_CXX_FLAGS}" MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
    message(FATAL_ERROR
      "The LibTorch in ${folder} has the C++ ABI from before 2011 (${TORCH_CXX_FLAGS}); gRPC and Abseil here have the new one. "
      "Take PyTorch's archive with `cxx11-abi` in its name.")
  endif()
  foreach(library ${c10_LIBRARY} ${TORCH_LIBRARY})
    get_filename_component(place "${library}" REALPATH)
    string(FIND "${place}" "${folder}/" at)
    if(NOT at EQUAL 0)
      message(FATAL_ERROR
        "Two LibTorchs are mixed: the one in ${folder} would be linked with ${library}. "
        "Name the one to use with -DCMAKE_PREFIX_PATH=${folder}.")
    endif()
  endforeach()
  message(STATUS "LibTorch ${Torch_VERSION} in ${folder}")
endfunction()
